using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Scheduling.Matching;

namespace Weft.Control.Scheduling.Model;

/// <summary>A pod as the scheduler sees it: read from the object once, then only compared.</summary>
internal sealed class PodInfo
{
    // A pod that asks for nothing still uses something. For scoring it counts as much as kube-scheduler assumes, or a hundred of them would pile up on one node.
    private const long AssumedCpu = 100;
    private const long AssumedMemory = 200L << 20;

    private static readonly IReadOnlyList<(string, long)> NoResources = [];
    private static readonly IReadOnlyList<HostPort> NoPorts = [];
    private static readonly IReadOnlyList<PreferredNodes> NoPreferences = [];

    public PodInfo(Pod pod)
    {
        Pod = pod;
        var spec = pod.Spec;
        Key = new ObjectKey(pod.Metadata.Namespace ?? "", pod.Metadata.Name ?? "");
        Uid = pod.Metadata.Uid ?? Key.ToString();
        Priority = spec.Priority ?? 0;

        List<(string, long)>? others = null;
        foreach (var (name, amount) in PodRequests.Of(spec))
        {
            switch (name)
            {
                case "cpu": Cpu = amount; break;
                case "memory": Memory = amount; break;
                case "ephemeral-storage": EphemeralStorage = amount; break;
                case "pods": break; // a pod is one pod
                default:
                    if (amount > 0)
                        (others ??= []).Add((name, amount));
                    break;
            }
        }

        Others = others ?? NoResources;
        HostPorts = HostPort.Of(spec) ?? NoPorts;
        RequiredNodes = NodeMatcher.Required(spec);
        PreferredNodes = Matching.PreferredNodes.Of(spec) ?? NoPreferences;
        Affinity = PodAffinityTerms.Of(pod);
        Spread = SpreadConstraint.Of(pod);
    }

    public Pod Pod { get; }
    public ObjectKey Key { get; }
    public string Uid { get; }
    public int Priority { get; }
    public IReadOnlyDictionary<string, string> Labels => Pod.Metadata.Labels;

    /// <summary>In thousandths of a core.</summary>
    public long Cpu { get; }
    public long Memory { get; }
    public long EphemeralStorage { get; }

    /// <summary>Extended resources and huge pages by name; none is zero.</summary>
    public IReadOnlyList<(string Name, long Amount)> Others { get; }

    public long ScoringCpu => Cpu == 0 ? AssumedCpu : Cpu;
    public long ScoringMemory => Memory == 0 ? AssumedMemory : Memory;

    public IReadOnlyList<HostPort> HostPorts { get; }

    /// <summary>Node selector and required node affinity together; null for any node.</summary>
    public NodeMatcher? RequiredNodes { get; }

    public IReadOnlyList<PreferredNodes> PreferredNodes { get; }

    /// <summary>Null when the pod says nothing about other pods.</summary>
    public PodAffinityTerms? Affinity { get; }

    public IReadOnlyList<SpreadConstraint> Spread { get; }

    /// <summary>It has ended: it takes no resources, and is never placed.</summary>
    public bool IsTerminal => Pod.Status.Phase is "Succeeded" or "Failed";
}
