package org.zstack.sdk.garden;

public class PlaceInventory {
    public String uuid;
    public String name;
    public java.sql.Timestamp createDate;
}
