package org.zstack.sdk.garden;

public class CreateGardenResult {
    public GardenInventory inventory;

    public void setInventory(GardenInventory inventory) {
        this.inventory = inventory;
    }

    public GardenInventory getInventory() {
        return this.inventory;
    }
}
