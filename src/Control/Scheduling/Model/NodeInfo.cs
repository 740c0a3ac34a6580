using System.Collections.Immutable;
using Weft.Api.Core;
using Weft.Control.Scheduling.Framework;

namespace Weft.Control.Scheduling.Model;

/// <summary>A taint and, ready made, what is said when a pod does not tolerate it.</summary>
internal sealed record TaintInfo(string Key, string Value, string Effect)
{
    public Rejection Untolerated { get; } = new($"node(s) had untolerated taint {{{Key}: {Value}}}");
}

/// <summary>A node with the sums over its pods. Immutable: placing a pod makes a new one, which costs the pods' array and one array of amounts.</summary>
internal sealed class NodeInfo
{
    private static readonly TaintInfo[] NoTaints = [];

    private readonly ResourceNames _names;

    private NodeInfo(NodeInfo of, ImmutableArray<PodInfo> pods)
    {
        _names = of._names;
        Name = of.Name;
        Labels = of.Labels;
        Unschedulable = of.Unschedulable;
        HardTaints = of.HardTaints;
        SoftTaints = of.SoftTaints;
        Allocatable = of.Allocatable;
        Pods = pods;
        Used = of.Used;
        HostPorts = of.HostPorts;
        ScoringCpu = of.ScoringCpu;
        ScoringMemory = of.ScoringMemory;
        PodsWithAffinity = of.PodsWithAffinity;
    }

    public NodeInfo(Node node, ResourceNames names)
    {
        _names = names;
        Name = node.Metadata.Name ?? "";
        Labels = node.Metadata.Labels;
        Unschedulable = node.Spec.Unschedulable == true;
        HardTaints = Taints(node, soft: false);
        SoftTaints = Taints(node, soft: true);

        foreach (var name in node.Status.Allocatable.Keys)
            names.Add(name);
        Allocatable = new long[names.Count];
        foreach (var (name, amount) in node.Status.Allocatable)
            Allocatable[names.Find(name)] = PodRequests.Amount(name, amount);
        Used = [];
        Pods = [];
        HostPorts = [];
    }

    public string Name { get; }
    public IReadOnlyDictionary<string, string> Labels { get; }
    public bool Unschedulable { get; }

    /// <summary>Taints that keep pods away: NoSchedule and NoExecute.</summary>
    public TaintInfo[] HardTaints { get; }

    /// <summary>PreferNoSchedule.</summary>
    public TaintInfo[] SoftTaints { get; }

    /// <summary>By number of the resource; shorter than the table when names came later.</summary>
    public long[] Allocatable { get; }

    /// <summary>Requests of the pods, as <see cref="Allocatable"/>; the entry for pods is their number.</summary>
    public long[] Used { get; private set; }
    public ImmutableArray<PodInfo> Pods { get; }
    public ImmutableArray<HostPort> HostPorts { get; private set; }

    /// <summary>As <see cref="Used"/>, with an assumed amount for pods that ask for nothing.</summary>
    public long ScoringCpu { get; private set; }
    public long ScoringMemory { get; private set; }

    /// <summary>How many of the pods have rules about other pods.</summary>
    public int PodsWithAffinity { get; private set; }

    public long Free(int resource) => At(Allocatable, resource) - At(Used, resource);

    public long Offered(int resource) => At(Allocatable, resource);

    public bool Has(string uid)
    {
        foreach (var pod in Pods)
        {
            if (pod.Uid == uid)
                return true;
        }

        return false;
    }

    public NodeInfo With(PodInfo pod)
    {
        var next = new NodeInfo(this, Pods.Add(pod));
        next.Count(pod, 1);
        return next;
    }

    public NodeInfo Without(string uid)
    {
        for (var i = 0; i < Pods.Length; i++)
        {
            if (Pods[i].Uid != uid)
                continue;
            var next = new NodeInfo(this, Pods.RemoveAt(i));
            next.Count(Pods[i], -1);
            return next;
        }

        return this;
    }

    /// <summary>The same pods on the node as it has become. Counted anew, for a name of a resource may be new.</summary>
    public NodeInfo Become(Node node)
    {
        var next = new NodeInfo(node, _names);
        foreach (var pod in Pods)
            next = next.With(pod);
        return next;
    }

    private void Count(PodInfo pod, int sign)
    {
        var used = new long[Math.Max(Used.Length, Allocatable.Length)];
        Array.Copy(Used, used, Used.Length);
        Used = used;
        Change(ResourceNames.Cpu, sign, pod.Cpu);
        Change(ResourceNames.Memory, sign, pod.Memory);
        Change(ResourceNames.EphemeralStorage, sign, pod.EphemeralStorage);
        Change(ResourceNames.Pods, sign, 1);
        foreach (var (name, amount) in pod.Others)
        {
            var number = _names.Find(name);
            if (number >= 0 && number < used.Length)
                Change(number, sign, amount);
        }

        ScoringCpu = Add(ScoringCpu, sign, pod.ScoringCpu);
        ScoringMemory = Add(ScoringMemory, sign, pod.ScoringMemory);
        if (pod.Affinity is not null)
            PodsWithAffinity += sign;
        if (pod.HostPorts.Count > 0)
            HostPorts = sign > 0 ? HostPorts.AddRange(pod.HostPorts) : [.. Pods.SelectMany(other => other.HostPorts)];
    }

    private void Change(int resource, int sign, long amount) => Used[resource] = Add(Used[resource], sign, amount);

    // Sums are exact in 64 bits for everything a machine can offer; one absurd request of a pod placed by hand must not wrap round.
    private const long Absurd = 1L << 56;

    private static long Add(long sum, int sign, long amount) => sum + sign * Math.Min(amount, Absurd);

    private static long At(long[] amounts, int resource) => (uint)resource < (uint)amounts.Length ? amounts[resource] : 0;

    private static TaintInfo[] Taints(Node node, bool soft)
    {
        List<TaintInfo>? found = null;
        foreach (var taint in node.Spec.Taints)
        {
            if (taint.Effect == "PreferNoSchedule" == soft)
                (found ??= []).Add(new(taint.Key, taint.Value ?? "", taint.Effect));
        }

        return found is null ? NoTaints : [.. found];
    }
}
