package org.zstack.sdk.garden;

import java.util.List;
import java.util.Map;
import org.zstack.sdk.*;

public class CreateGardenAction extends AbstractAction {
    private static final java.util.HashMap<String, Object> parameterMap = new java.util.HashMap<>();

    public static class Result {
        public ErrorCode error;
        public org.zstack.sdk.garden.CreateGardenResult value;
    }

    @Param(maxLength = 255, minLength = 2, emptyString = false)
    public String name;

    @Param(required = false, maxLength = 70000)
    public String description;

    @Param(required = true)
    public String zoneUuid;

    @Param(required = false, validValues = {"Flat", "Terraced"})
    public String layout = "Flat";

    @Param(required = false, validRegexValues = "[a-z]+-[0-9]+")
    public String label;

    @Param(required = false, numberRange = {1, 9223372036854775807L}, numberRangeUnit = {"byte", "byte"})
    public Long size;

    @Param(required = false, numberRange = {0, 100})
    public int share = 40;

    @Param(required = false)
    public Boolean fenced = true;

    @Param(required = false)
    public double slope = 1.5;

    @Param(required = false, nonempty = true)
    public List<String> mainGardenerUuids;

    @Param(required = false)
    public Map<String, List<Long>> beds;

    @Param(required = false)
    public GardenState state = GardenState.Growing;

    @Param(required = false)
    public List<Bed> bedStructs;

    @Param(required = false, noTrim = true)
    public String gatePassword;

    @Param(required = false)
    public String resourceUuid;

    @Param(required = false)
    public List systemTags;

    @Param(required = false)
    public List userTags;

    @Param(required = false)
    public String sessionId;

    @Param(required = false)
    public String accessKeyId;

    @Param(required = false)
    public String accessKeySecret;

    @Param(required = false)
    public String requestIp;

    @NonAPIParam
    public long timeout = -1;

    @NonAPIParam
    @Param(required = false)
    public long pollingInterval = -1;

    public String notAParameter = "x";

    protected RestInfo getRestInfo() {
        RestInfo info = new RestInfo();
        info.httpMethod = "POST";
        info.path = "/gardens";
        info.needSession = true;
        info.needPoll = true;
        info.parameterName = "params";
        return info;
    }
}
