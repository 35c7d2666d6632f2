package org.zstack.sdk.garden;

import org.zstack.sdk.GardenState;

public class GardenInventory extends PlaceInventory {
    public static final String KIND = "garden";
    public String zoneUuid;
    public Long size;
    public int share;
    public Boolean fenced;
    public GardenState state;
    public java.util.List<String> mainGardenerUuids;
    private transient Object cached;

    public Long getSize() {
        return size;
    }
}
