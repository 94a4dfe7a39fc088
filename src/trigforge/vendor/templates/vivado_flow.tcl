# Implements the firmware out of context: reads its sources, synthesises, places and routes
# them, and writes into reports/ what the design takes and whether it keeps its clock.
#
#   vivado -mode batch -source scripts/vivado.tcl
#
# Set above: top, part, and sources (relative to the folder of the firmware, in the order in
# which they are read). Everything is found from where this script lies.

set root [file dirname [file dirname [file normalize [info script]]]]
set reports [file join $root reports]
file mkdir $reports

foreach source $sources {
    set path [list [file join $root $source]]
    switch -- [file extension $source] {
        .v { read_verilog $path }
        .sv { read_verilog -sv $path }
        .vhd - .vhdl { read_vhdl -vhdl2008 $path }
        default { error "no Verilog or VHDL source: $source" }
    }
}
read_xdc [list [file join $root constraints $top.xdc]]

synth_design -top $top -part $part -mode out_of_context
report_utilization -file [file join $reports utilisation_synth.rpt]
report_timing_summary -file [file join $reports timing_synth.rpt]

opt_design
place_design
route_design
report_utilization -file [file join $reports utilisation_routed.rpt]
report_timing_summary -file [file join $reports timing_routed.rpt]
write_checkpoint -force [file join $reports ${top}_routed.dcp]
