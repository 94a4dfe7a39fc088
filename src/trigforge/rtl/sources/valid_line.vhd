-- Delays the valid flag by as many cycles as the data takes; a reset clears it everywhere.

library ieee;
use ieee.std_logic_1164.all;

entity valid_line is
    generic (
        N_CYCLES : positive := 1
    );
    port (
        clk       : in  std_logic;
        rst       : in  std_logic;
        in_valid  : in  std_logic;
        out_valid : out std_logic
    );
end entity;

architecture rtl of valid_line is
    signal flags : std_logic_vector(N_CYCLES downto 0) := (others => '0');
begin
    out_valid <= flags(N_CYCLES);

    process (clk)
    begin
        if rising_edge(clk) then
            if rst = '1' then
                flags <= (others => '0');
            else
                flags(0) <= '0';
                flags(1) <= in_valid;
                for i in 2 to N_CYCLES loop
                    flags(i) <= flags(i - 1);
                end loop;
            end if;
        end if;
    end process;
end architecture;
