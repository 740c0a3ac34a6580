using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tables;

/// <summary>What `kubectl get pods` says of a pod: its phase, unless something says more.</summary>
internal sealed record PodStatusText(string Ready, string Status, string Restarts)
{
    internal static PodStatusText Of(JsonObject pod, DateTimeOffset now) => new Reader(pod).Read(now);

    private sealed class Reader(JsonObject pod)
    {
        private readonly JsonObject? _spec = Cells.Object(pod, "spec");
        private readonly JsonObject? _status = Cells.Object(pod, "status");
        private int _ready;
        private RestartCount _restarts;

        internal PodStatusText Read(DateTimeOffset now)
        {
            var phase = Cells.Text(_status, "phase");
            var reason = Cells.Text(_status, "reason", phase);
            if (Cells.Text(Cells.Condition(pod, "PodScheduled"), "reason") == "SchedulingGated")
                reason = "SchedulingGated";

            var sidecars = Cells.Objects(_spec, "initContainers").Where(c => Cells.Text(c, "restartPolicy") == "Always").Select(c => Cells.Text(c, "name")).ToHashSet();
            var initializing = Initialize(sidecars, ref reason);
            if (!initializing || Cells.Text(Cells.Condition(pod, "Initialized"), "status") == "True")
                reason = Run(sidecars, reason);

            if (Cells.Object(pod, "metadata")?["deletionTimestamp"] is not null)
            {
                if (Cells.Text(_status, "reason") == "NodeLost")
                    reason = "Unknown";
                else if (phase is not ("Succeeded" or "Failed"))
                    reason = "Terminating";
            }

            var total = Cells.Objects(_spec, "containers").Count + sidecars.Count;
            return new PodStatusText(string.Create(CultureInfo.InvariantCulture, $"{_ready}/{total}"), reason, _restarts.Text(now));
        }

        // The first init container that is not done says what the pod waits for.
        private bool Initialize(HashSet<string> sidecars, ref string reason)
        {
            var statuses = Cells.Objects(_status, "initContainerStatuses");
            for (var i = 0; i < statuses.Count; i++)
            {
                var status = statuses[i];
                _restarts.Add(status);
                var (terminated, waiting) = (Cells.Object(status, "state", "terminated"), Cells.Object(status, "state", "waiting"));
                if (terminated is not null && Cells.Number(terminated, "exitCode") == 0)
                    continue;
                if (sidecars.Contains(Cells.Text(status, "name")) && Cells.Flag(status, "started"))
                {
                    if (Cells.Flag(status, "ready"))
                        _ready++;
                    continue;
                }

                if (terminated is not null)
                    reason = "Init:" + Ended(terminated);
                else if (Cells.Text(waiting, "reason") is { Length: > 0 } why && why != "PodInitializing")
                    reason = "Init:" + why;
                else
                    reason = string.Create(CultureInfo.InvariantCulture, $"Init:{i}/{Cells.Objects(_spec, "initContainers").Count}");
                return true;
            }

            return false;
        }

        private string Run(HashSet<string> sidecars, string reason)
        {
            // Restarts of init containers are history once they are done; those of sidecars go on counting.
            _restarts = default;
            foreach (var status in Cells.Objects(_status, "initContainerStatuses").Where(s => sidecars.Contains(Cells.Text(s, "name"))))
                _restarts.Add(status);

            var running = false;
            // From the last to the first: the first container's reason counts.
            foreach (var status in Cells.Objects(_status, "containerStatuses").Reverse())
            {
                _restarts.Add(status);
                var (terminated, waiting) = (Cells.Object(status, "state", "terminated"), Cells.Object(status, "state", "waiting"));
                if (Cells.Text(waiting, "reason") is { Length: > 0 } why)
                    reason = why;
                else if (terminated is not null)
                    reason = Ended(terminated);
                else if (Cells.Flag(status, "ready") && Cells.Object(status, "state", "running") is not null)
                {
                    running = true;
                    _ready++;
                }
            }

            if (reason != "Completed" || !running)
                return reason;
            return Cells.Text(Cells.Condition(pod, "Ready"), "status") == "True" ? "Running" : "NotReady";
        }

        private static string Ended(JsonObject terminated)
        {
            if (Cells.Text(terminated, "reason") is { Length: > 0 } reason)
                return reason;
            var signal = Cells.Number(terminated, "signal");
            return signal != 0
                ? string.Create(CultureInfo.InvariantCulture, $"Signal:{signal}")
                : string.Create(CultureInfo.InvariantCulture, $"ExitCode:{Cells.Number(terminated, "exitCode")}");
        }
    }

    private struct RestartCount
    {
        private long _count;
        private JsonNode? _last;
        private string _lastText;

        internal void Add(JsonObject status)
        {
            _count += Cells.Number(status, "restartCount");
            var finished = Cells.Object(status, "lastState", "terminated");
            // RFC 3339 in UTC sorts as text.
            if (Cells.Text(finished, "finishedAt") is { Length: > 0 } text && string.CompareOrdinal(text, _lastText) > 0)
                (_last, _lastText) = (finished!["finishedAt"], text);
        }

        internal readonly string Text(DateTimeOffset now)
        {
            var count = _count.ToString(CultureInfo.InvariantCulture);
            return _count != 0 && _last is not null ? $"{count} ({HumanTime.Since(_last, now)} ago)" : count;
        }
    }
}
