# SPDX-License-Identifier: Apache-2.0
# Boot script of U-Boot for two slots, the other side of atfotad --boot-env.
#
#   mkimage -A arm -T script -C none -d boot.cmd boot.scr
#
# U-Boot needs CONFIG_BOOTCOUNT_LIMIT and CONFIG_BOOTCOUNT_ENV: it counts `bootcount` up at each start while
# upgrade_available is 1. And once, at the factory:
#
#   setenv fota_slot a; setenv upgrade_available 0; setenv bootcount 0
#   setenv bootlimit 0; setenv altbootcmd 'run bootcmd'; saveenv
#
#   upgrade_available  fota_try  bootcount       boots
#   0                  any       any             fota_slot
#   1                  not set   any             fota_slot
#   1                  set       <= bootlimit    fota_try
#   1                  set       > bootlimit     fota_slot
#
# Nothing is decided for good here: what was tried in vain atfotad finds out by the slot that runs
# (fota.slot on the kernel's command line), and gives it up in journal and environment.

setenv fota_now ${fota_slot}
if test "${upgrade_available}" = "1"; then
	if test -n "${fota_try}"; then
		if test ${bootcount} -le ${bootlimit}; then
			setenv fota_now ${fota_try}
		fi
	fi
fi

setenv fota_part 2
if test "${fota_now}" = "b"; then
	setenv fota_part 3
fi

setenv bootargs ${bootargs} root=/dev/mmcblk0p${fota_part} rootwait ro fota.slot=${fota_now}
if load mmc 0:${fota_part} ${kernel_addr_r} /boot/zImage; then
	if load mmc 0:${fota_part} ${fdt_addr_r} /boot/board.dtb; then
		bootz ${kernel_addr_r} - ${fdt_addr_r}
	fi
fi

# The slot has no kernel that starts. On trial the next start counts it; a confirmed one needs a person.
if test "${upgrade_available}" = "1"; then
	reset
fi
echo "fota: slot ${fota_now} does not boot"
