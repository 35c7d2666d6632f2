#!/usr/bin/env python3
"""Writes the reply of a node that has many VMs: data.py ROWS > FILE. The same ROWS give the same bytes."""

import sys

ROW = (
    '{"uuid":"%(uuid)s","name":"%(name)s","description":"web tier \\u003c%(i)d\\u003e","zoneUuid":"%(zone)s",'
    '"clusterUuid":"%(cluster)s","imageUuid":"%(image)s","hostUuid":"%(host)s","lastHostUuid":"%(host)s",'
    '"instanceOfferingUuid":"%(offering)s","rootVolumeUuid":"%(root)s","platform":"Linux","architecture":"x86_64",'
    '"guestOsType":"CentOS 7","defaultL3NetworkUuid":"%(l3)s","type":"UserVm","hypervisorType":"KVM",'
    '"memorySize":%(memory)d,"reservedMemorySize":0,"cpuNum":%(cpus)d,"cpuSpeed":0,"allocatorStrategy":'
    '"LeastVmPreferredHostAllocatorStrategy","createDate":"Mar 4, 2025 2:12:01 PM","lastOpDate":'
    '"Mar 5, 2025 9:40:17 AM","state":"%(state)s","vmNics":[{"uuid":"%(nic)s","vmInstanceUuid":"%(uuid)s",'
    '"usedIpUuid":"%(ipu)s","l3NetworkUuid":"%(l3)s","ip":"%(ip)s","mac":"fa:%(mac)s","hypervisorType":"KVM",'
    '"netmask":"255.0.0.0","gateway":"10.0.0.1","internalName":"vnic%(i)d.0","deviceId":0,"type":"VNIC",'
    '"driverType":"virtio","createDate":"Mar 4, 2025 2:12:01 PM","lastOpDate":"Mar 4, 2025 2:12:01 PM",'
    '"usedIps":[{"uuid":"%(ipu)s","ipVersion":4,"ip":"%(ip)s","netmask":"255.0.0.0","gateway":"10.0.0.1",'
    '"ipInLong":%(long)d,"vmNicUuid":"%(nic)s"}]}],"allVolumes":[{"uuid":"%(root)s","name":"ROOT-for-%(name)s",'
    '"primaryStorageUuid":"%(ps)s","vmInstanceUuid":"%(uuid)s","installPath":"ceph://pri-v-r-%(ps)s/%(root)s",'
    '"type":"Root","format":"raw","size":42949672960,"actualSize":1.073741824E9,"deviceId":0,"state":"Enabled",'
    '"status":"Ready","isShareable":false}],"vmCdRoms":[]}'
)
STATES = ("Running", "Running", "Running", "Stopped", "Paused")
NAMES = ("web", "db", "cache", "build", "\u6d4b\u8bd5", "mail")


def uuid(kind: int, number: int) -> str:
    """32 hexadecimal digits that rise with the number, as a node's answer in the order of uuid does."""
    return f"{number:08x}{kind:04x}4000800{kind:x}{(number * 2654435761) % (1 << 48):012x}"


def row(i: int) -> str:
    host = i % 800
    return ROW % {
        "i": i, "uuid": uuid(1, i), "name": f"{NAMES[i % 6]}-{i:06d}", "zone": uuid(2, i % 3),
        "cluster": uuid(3, host % 40), "image": uuid(4, i % 60), "host": uuid(5, host), "offering": uuid(6, i % 12),
        "root": uuid(7, i), "l3": uuid(8, i % 90), "nic": uuid(9, i), "ipu": uuid(10, i), "ps": uuid(11, i % 20),
        "memory": (1 + i % 32) << 30, "cpus": 1 + i % 16, "state": STATES[i % 5],
        "ip": f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", "long": (10 << 24) + i,
        "mac": ":".join(f"{i >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0)),
    }


def main() -> None:
    rows = int(sys.argv[1])
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", buffering=1 << 20)
    out.write('{"inventories":[')
    for i in range(rows):
        out.write("," * (i > 0) + row(i))
    out.write('],"schema":{"inventories[0]":"org.zstack.header.vm.VmInstanceInventory"}}')
    out.close()


main()
