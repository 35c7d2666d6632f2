package org.zstack.sdk.garden;

public class QueryGardenResult {
    public java.util.List<GardenInventory> inventories;
    public Long total;
}
