package org.zstack.sdk;

public class CreateZoneResult {
    public ZoneInventory inventory;
}
