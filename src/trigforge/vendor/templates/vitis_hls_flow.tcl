# Turns an hls4ml project into RTL: C synthesis and, where settings.tcl asks for them, export as
# an IP core and co-simulation. The options are those of hls4ml's own build_prj.tcl, so that
# figures can be compared.
#
#   vitis_hls -f vitis_hls_flow.tcl
#   vitis-run --mode hls --tcl vitis_hls_flow.tcl
#
# vitis-run hands no arguments to a script: they are in settings.tcl, which sets top, part,
# period_ns, export and cosim.

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
cd $here

proc synthesise {} {
    global top part period_ns export cosim
    open_project -reset ${top}_prj
    set_top $top
    add_files firmware/$top.cpp -cflags "-std=c++0x"
    add_files -tb ${top}_test.cpp -cflags "-std=c++0x -DRTL_SIM"
    add_files -tb firmware/weights
    add_files -tb tb_data
    open_solution -reset solution1
    set_part $part
    create_clock -period $period_ns -name default
    set_clock_uncertainty 27% default
    config_compile -name_max_length 80
    config_schedule -enable_dsp_full_reg=false
    csynth_design
    if {$export} {
        export_design -format ip_catalog -rtl verilog
    }
    # Last: a difference it finds ends the script, and what is above is there.
    if {$cosim} {
        cosim_design -rtl verilog -trace_level none
    }
}

# Without this the program would wait for commands after an error.
if {[catch {synthesise} message]} {
    puts "ERROR: $message"
    exit 1
}
exit 0
