using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using static Weft.ApiServer.Tables.Cells;

namespace Weft.ApiServer.Tables;

internal static class BatchColumns
{
    internal static ColumnList Job() => new()
    {
        ColumnList.NameColumn,
        { "Status", "Complete, Failed, Running, ...", JobStatus },
        { "Completions", "Successes, of those wanted", Completions },
        { "Duration", "How long it took, or runs", Duration },
        ColumnList.AgeColumn,
        WorkloadColumns.Containers(),
        WorkloadColumns.Images(),
        WorkloadColumns.Selector(),
    };

    internal static ColumnList CronJob() => new()
    {
        ColumnList.NameColumn,
        { "Schedule", "The times", c => Text(Object(c, "spec"), "schedule") },
        { "Timezone", "Name of the time zone", c => Text(Object(c, "spec"), "timeZone", None) },
        { "Suspend", "Whether no jobs are made for now", c => Flag(Object(c, "spec"), "suspend") ? "True" : "False" },
        { "Active", "Jobs that run", c => Objects(Object(c, "status"), "active").Count },
        { "Last Schedule", "Time since the last job", (c, now) => Object(c, "status")?["lastScheduleTime"] is { } time ? HumanTime.Since(time, now) : None },
        ColumnList.AgeColumn,
        new Wide("Containers", "Names of the containers", c => Joined(Template(c).Select(container => Text(container, "name")), "")),
        new Wide("Images", "Images of the containers", c => Joined(Template(c).Select(container => Text(container, "image")), "")),
        new Wide("Selector", "Label selector of the pods", c => Selector(Object(c, "spec", "jobTemplate", "spec", "selector"))),
    };

    internal static ColumnList DisruptionBudget() => new()
    {
        ColumnList.NameColumn,
        { "Min Available", "Pods that must stay", b => Scalar(Object(b, "spec")?["minAvailable"]) is { Length: > 0 } text ? text : "N/A" },
        { "Max Unavailable", "Pods that may be missing", b => Scalar(Object(b, "spec")?["maxUnavailable"]) is { Length: > 0 } text ? text : "N/A" },
        { "Allowed Disruptions", "Pods that may go now", b => Number(Object(b, "status"), "disruptionsAllowed") },
        ColumnList.AgeColumn,
    };

    private static string JobStatus(JsonObject job)
    {
        bool Is(string type) => Text(Condition(job, type), "status") == "True";
        if (Is("Complete"))
            return "Complete";
        if (Is("Failed"))
            return "Failed";
        if (Metadata.IsBeingDeleted(job))
            return "Terminating";
        if (Is("Suspended"))
            return "Suspended";
        if (Is("FailureTarget"))
            return "FailureTarget";
        return Is("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
    }

    private static string Completions(JsonObject job)
    {
        var (spec, status) = (Object(job, "spec"), Object(job, "status"));
        var succeeded = Number(status, "succeeded");
        if (spec?["completions"] is not null)
            return string.Create(CultureInfo.InvariantCulture, $"{succeeded}/{Number(spec, "completions")}");
        var parallel = Number(spec, "parallelism", 1);
        return parallel > 1
            ? string.Create(CultureInfo.InvariantCulture, $"{succeeded}/1 of {parallel}")
            : string.Create(CultureInfo.InvariantCulture, $"{succeeded}/1");
    }

    private static string Duration(JsonObject job, DateTimeOffset now)
    {
        var status = Object(job, "status");
        if (status?["startTime"] is not { } start)
            return "";
        var failed = Text(Condition(job, "Failed"), "lastTransitionTime");
        var end = Text(status, "completionTime", Text(Condition(job, "Failed"), "status") == "True" ? failed : "");
        return HumanTime.Since(start, DateTimeOffset.TryParse(end, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var ended) ? ended : now);
    }

    private static IReadOnlyList<JsonObject> Template(JsonObject cron) => Objects(Object(cron, "spec", "jobTemplate", "spec", "template", "spec"), "containers");
}
