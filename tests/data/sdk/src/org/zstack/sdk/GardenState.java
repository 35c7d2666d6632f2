package org.zstack.sdk;

public enum GardenState {
    Growing,
    Resting {
        @Override
        public String toString() {
            return "asleep";
        }
    };

    private static final int UNRELATED = 3;
}
