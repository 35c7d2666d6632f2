package org.zstack.sdk.garden;

public class Bed {
    public String name;
    public Integer rows;
    public java.util.List<Seed> seeds;

    public static class Seed {
        public String kind;
        public boolean sown;
    }
}
