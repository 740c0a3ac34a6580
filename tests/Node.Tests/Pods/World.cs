using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Tests.Pods;

/// <summary>Pods and observations for tests of pure code.</summary>
internal static class World
{
    public static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly NodeFacts Node = new("n1", "192.0.2.1", Quantity.FromUnits(4), Quantity.Parse("8Gi"));

    public static Pod Pod(string spec, string? metadata = null, PodStatus? status = null)
    {
        var meta = metadata is null ? new JsonObject() : JsonNode.Parse(metadata)!.AsObject();
        meta["name"] ??= "web";
        meta["namespace"] ??= "default";
        meta["uid"] ??= "u1";
        return ApiJson.FromTree<Pod>(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = meta, ["spec"] = JsonNode.Parse(spec) }) with { Status = status ?? new() };
    }

    public static SandboxInfo Sandbox(bool ready = true) => new()
    {
        Id = "s1", CreatedAt = Now, Ips = ["10.1.0.5"], Ready = ready,
        Spec = new SandboxSpec { PodUid = "u1", Namespace = "default", Name = "web", Hostname = "web" },
    };

    public static ContainerInfo Container(string name, RunState state, int attempt = 0, int exitCode = 0, TimeSpan? ran = null, TimeSpan? endedAgo = null)
    {
        var finished = Now - (endedAgo ?? TimeSpan.Zero);
        return new ContainerInfo
        {
            Id = $"{name}-{attempt}", SandboxId = "s1", PodUid = "u1", Name = name, Attempt = attempt, SpecHash = "h", LogPath = "/log", State = state,
            CreatedAt = finished - (ran ?? TimeSpan.FromSeconds(1)),
            StartedAt = state == RunState.Created ? null : finished - (ran ?? TimeSpan.FromSeconds(1)),
            FinishedAt = state == RunState.Exited ? finished : null,
            ExitCode = exitCode,
            Reason = state == RunState.Exited ? exitCode == 0 ? "Completed" : "Error" : null,
        };
    }

    public static PodObservation Seen(params ContainerInfo[] containers) => new()
    {
        Sandbox = Sandbox(),
        VolumesReady = true,
        Containers = containers,
        Health = containers.Where(c => c.State == RunState.Running).ToDictionary(c => c.Id, _ => new ContainerHealth(true, true, null)),
        Crashes = containers.Where(c => c.State == RunState.Exited).GroupBy(c => c.Name).ToDictionary(g => g.Key, g => g.Max(c => c.Attempt) + 1),
    };

    /// <summary>The plan in short: `start main#0`, `kill main`, `setup`, ...</summary>
    public static string Plan(Pod pod, PodObservation seen) => string.Join(", ", PodPlanner.Plan(pod, seen, Now).Steps.Select(Text));

    public static string Text(PodStep step) => step switch
    {
        PodStep.Start s => $"start {s.Container}#{s.Attempt}",
        PodStep.Kill k => $"kill {k.ContainerId}",
        PodStep.Forget f => $"forget {f.ContainerId}",
        _ => step.GetType().Name.ToLowerInvariant(),
    };
}
