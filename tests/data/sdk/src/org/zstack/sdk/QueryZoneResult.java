package org.zstack.sdk;

public class QueryZoneResult {
    public java.util.List inventories;
    public Long total;
}
