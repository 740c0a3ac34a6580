using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>Facts of the node that every pod's status and environment may show.</summary>
internal sealed record NodeFacts(string NodeName, string HostIp, Weft.Api.Quantity AllocatableCpu, Weft.Api.Quantity AllocatableMemory);

/// <summary>The status of a pod from what is seen of it. Pure. Times of conditions are kept while their value is.</summary>
internal static class PodStatusBuilder
{
    public static PodStatus Build(Pod pod, PodObservation seen, NodeFacts node, DateTimeOffset now)
    {
        var old = pod.Status;
        // A pod that an agent has begun to end: nothing of it starts again.
        var ending = pod.Metadata.DeletionTimestamp is not null || PodShape.IsTerminal(pod) || PodPlanner.HasEnded(pod, seen);
        var overdue = PodShape.Deadline(pod) is { } deadline && deadline <= now;
        var context = new Context(pod, seen, ending || overdue, now);
        List<ContainerStatus> init = [.. pod.Spec.InitContainers.Select(c => Container(context, c, isInit: true, old.InitContainerStatuses))];
        var initialised = IsInitialised(pod, seen, init);
        List<ContainerStatus> main = [.. pod.Spec.Containers.Select(c => Container(context, c, isInit: false, old.ContainerStatuses, initialised))];
        var phase = Phase(pod, seen, main, ending, overdue);
        var ips = seen.Sandbox is { } sandbox ? sandbox.Spec.HostNetwork ? [node.HostIp] : sandbox.Ips : [.. old.PodIPs.Select(ip => ip.Ip)];

        return old with
        {
            ObservedGeneration = pod.Metadata.Generation,
            Phase = phase,
            Reason = PodShape.IsTerminal(pod) ? old.Reason : overdue ? "DeadlineExceeded" : null,
            Message = PodShape.IsTerminal(pod) ? old.Message : overdue ? "Pod was active on the node longer than the specified deadline" : null,
            HostIP = node.HostIp,
            HostIPs = [new HostIP { Ip = node.HostIp }],
            PodIP = ips.Count > 0 ? ips[0] : null,
            PodIPs = [.. ips.Select(ip => new PodIP { Ip = ip })],
            StartTime = old.StartTime ?? now,
            QosClass = old.QosClass ?? PodShape.QosClass(pod),
            InitContainerStatuses = init,
            ContainerStatuses = main,
            EphemeralContainerStatuses = [.. pod.Spec.EphemeralContainers.Select(e => Container(context, PodShape.AsContainer(e), isInit: false, old.EphemeralContainerStatuses))],
            Conditions = Conditions(pod, seen, init, main, initialised, phase, now),
        };
    }

    private sealed record Context(Pod Pod, PodObservation Seen, bool Ending, DateTimeOffset Now);

    private static bool IsInitialised(Pod pod, PodObservation seen, List<ContainerStatus> init) =>
        pod.Spec.Containers.Any(c => seen.Latest(c.Name) is not null)
        || pod.Spec.InitContainers.Zip(init).All(pair => PodShape.IsSidecar(pair.First)
            ? pair.Second.Started == true
            : pair.Second.State?.Terminated is { ExitCode: 0 });

    private static ContainerStatus Container(Context context, Container spec, bool isInit, IReadOnlyList<ContainerStatus> before, bool initialised = true)
    {
        var seen = context.Seen;
        var old = before.FirstOrDefault(s => s.Name == spec.Name);
        var status = new ContainerStatus
        {
            Name = spec.Name,
            Image = spec.Image ?? "",
            ImageID = "",
            RestartCount = old?.RestartCount ?? 0,
            LastState = old?.LastState,
            Started = false,
        };
        var latest = seen.Latest(spec.Name);
        if (latest is null)
        {
            // The records went with the sandbox, or a reboot took them: what was said of an ended container stays said.
            if (old?.State?.Terminated is not null && context.Ending)
                return old with { Ready = isInit && old.State.Terminated.ExitCode == 0 };
            if (context.Ending && old?.State?.Running is { } ran)
                return status with { State = new() { Terminated = Unknown(old, ran) }, ContainerID = old.ContainerID };
            return status with { State = new() { Waiting = Waiting(context, spec, isInit, initialised) } };
        }

        status = status with { RestartCount = latest.Attempt, ContainerID = latest.Id };
        status = ContainerFacts.Add(status, context.Pod, spec, seen.Images.GetValueOrDefault(latest.Id), old);
        if (seen.BeforeLatest(spec.Name) is { State: RunState.Exited } previous)
            status = status with { LastState = new() { Terminated = Terminated(context, previous) } };

        switch (latest.State)
        {
            case RunState.Running:
                var health = seen.Health.GetValueOrDefault(latest.Id, ContainerHealth.Unknown);
                return status with { State = new() { Running = new() { StartedAt = latest.StartedAt } }, Started = health.Started, Ready = health.Started && health.Ready };
            case RunState.Created:
                return status with { State = new() { Waiting = new() { Reason = "ContainerCreating" } } };
            default:
                var terminated = new ContainerState { Terminated = Terminated(context, latest) };
                if (context.Ending || !RestartRules.ShouldRestart(context.Pod, spec, isInit, latest.ExitCode))
                    return status with { State = terminated, Ready = isInit && latest.ExitCode == 0 };
                var crashes = seen.Crashes.GetValueOrDefault(spec.Name);
                return RestartRules.NextStart(latest, crashes) <= context.Now
                    ? status with { State = seen.Failures.ContainsKey(spec.Name) ? new() { Waiting = Waiting(context, spec, isInit, initialised) } : terminated }
                    : status with
                    {
                        LastState = terminated,
                        State = new()
                        {
                            Waiting = new()
                            {
                                Reason = "CrashLoopBackOff",
                                Message = $"back-off {Span(RestartRules.Delay(crashes))} restarting failed container={spec.Name} pod={context.Pod.Metadata.Name}_{context.Pod.Metadata.Namespace}({context.Pod.Metadata.Uid})",
                            },
                        },
                    };
        }
    }

    private static string Span(TimeSpan span) => span.TotalSeconds < 60 ? $"{span.TotalSeconds:0}s" : $"{(int)span.TotalMinutes}m{span.Seconds}s";

    private static ContainerStateTerminated Unknown(ContainerStatus old, ContainerStateRunning ran) => new()
    {
        ExitCode = 137,
        Reason = "ContainerStatusUnknown",
        Message = "The container could not be located when the pod was terminated",
        StartedAt = ran.StartedAt,
        ContainerID = old.ContainerID,
    };

    private static ContainerStateWaiting Waiting(Context context, Container spec, bool isInit, bool initialised)
    {
        if (context.Seen.Failures.GetValueOrDefault(spec.Name) is { } failure)
            return new() { Reason = failure.Reason, Message = failure.Message };
        if (context.Seen.Setup is { Reason: "NoContainerRuntime" } setup)
            return new() { Reason = setup.Reason, Message = setup.Message };
        return new() { Reason = isInit || !initialised ? "PodInitializing" : "ContainerCreating" };
    }

    private static ContainerStateTerminated Terminated(Context context, ContainerInfo container) => new()
    {
        ExitCode = container.ExitCode,
        Reason = container.Reason,
        Message = container.Message,
        StartedAt = container.StartedAt,
        FinishedAt = container.FinishedAt,
        ContainerID = container.Id,
    };

    private static string Phase(Pod pod, PodObservation seen, List<ContainerStatus> main, bool ending, bool overdue)
    {
        if (PodShape.IsTerminal(pod))
            return pod.Status.Phase!;
        var running = seen.Containers.Any(c => c.State == RunState.Running);
        if (overdue || PodPlanner.FailedInit(pod, seen) is not null)
            return running ? "Running" : "Failed";
        if (ending && !running && main.Count > 0 && main.All(s => s.State?.Terminated is not null))
            return main.All(s => s.State!.Terminated!.ExitCode == 0) ? "Succeeded" : "Failed";
        if (pod.Metadata.DeletionTimestamp is null && PodPlanner.HasEnded(pod, seen) && main.All(s => s.State?.Terminated is not null))
            return main.All(s => s.State!.Terminated!.ExitCode == 0) ? "Succeeded" : "Failed";
        return main.Count > 0 && main.All(s => s.State?.Running is not null || s.State?.Terminated is not null || s.LastState?.Terminated is not null)
            ? "Running"
            : "Pending";
    }

    private static List<PodCondition> Conditions(
        Pod pod, PodObservation seen, List<ContainerStatus> init, List<ContainerStatus> main, bool initialised, string phase, DateTimeOffset now)
    {
        var conditions = new List<PodCondition>();
        var succeeded = phase == "Succeeded";
        Add("PodReadyToStartContainers", seen.Sandbox is { Ready: true });

        var waitingInit = init.Zip(pod.Spec.InitContainers).Where(p => PodShape.IsSidecar(p.Second) ? p.First.Started != true : p.First.State?.Terminated is not { ExitCode: 0 }).Select(p => p.First.Name);
        if (initialised || succeeded)
            Add("Initialized", true, succeeded ? "PodCompleted" : null);
        else
            Add("Initialized", false, "ContainersNotInitialized", $"containers with incomplete status: [{string.Join(' ', waitingInit)}]");

        var unready = main.Where(s => !s.Ready).Select(s => s.Name).Concat(init.Zip(pod.Spec.InitContainers).Where(p => PodShape.IsSidecar(p.Second) && !p.First.Ready).Select(p => p.First.Name)).ToList();
        var (reason, message) = phase switch
        {
            "Succeeded" => ("PodCompleted", null),
            "Failed" => ("PodFailed", null),
            _ => ("ContainersNotReady", (string?)$"containers with unready status: [{string.Join(' ', unready)}]"),
        };
        var ready = unready.Count == 0 && phase == "Running";
        if (ready)
            (reason, message) = (null, null);
        Add("ContainersReady", ready, reason, message);

        var gates = pod.Spec.ReadinessGates.Where(g => pod.Status.Conditions.FirstOrDefault(c => c.Type == g.ConditionType)?.Status != "True").Select(g => g.ConditionType).ToList();
        if (ready && gates.Count > 0)
            Add("Ready", false, "ReadinessGatesNotReady", $"the status of pod readiness gates is not \"True\": [{string.Join(' ', gates)}]");
        else
            Add("Ready", ready, reason, message);
        Add("PodScheduled", true);
        return conditions;

        void Add(string type, bool value, string? reason = null, string? message = null)
        {
            var status = value ? "True" : "False";
            var old = pod.Status.Conditions.FirstOrDefault(c => c.Type == type);
            conditions.Add(new PodCondition
            {
                Type = type,
                Status = status,
                Reason = reason,
                Message = message,
                LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now,
            });
        }
    }
}
