package org.zstack.sdk;

public class ZoneInventory {
    public String uuid;
    public String name;
    public String climate;
    public java.sql.Timestamp createDate;
}
