using System.Globalization;
using Weft.Api;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Security;

namespace Weft.Control.Mesh.Analysis;

/// <summary>Which object says what a unit of the configuration has. Units themselves do not say it: proxies have no use for it.</summary>
public sealed class MeshOrigins
{
    private readonly MeshIndex _index;

    internal MeshOrigins(MeshIndex index) => _index = index;

    /// <param name="cluster">`host:port`, with `/subset`, with `@namespace`.</param>
    /// <returns>Null: no rule is for it, and defaults hold.</returns>
    public ObjectRef? DestinationRuleOf(string cluster)
    {
        var at = cluster.LastIndexOf('@');
        var client = at < 0 ? null : cluster[(at + 1)..];
        var name = at < 0 ? cluster : cluster[..at];
        var colon = name.LastIndexOf(':');
        if (colon < 0 || _index.Hosts.FirstOrDefault(one => one.Name == name[..colon]) is not { } host)
            return null;
        var choice = RuleChoice.Of(host, client, new MeshLookups(_index));
        var slash = name.IndexOf('/', colon);
        var rule = slash > 0 && choice.Subset(name[(slash + 1)..]) is { } subset ? subset.Rule : choice.First;
        return rule is null ? null : Problems.RefOf(rule);
    }

    /// <param name="workload">`namespace/name` of a pod.</param>
    /// <returns>Null: none says it, and the mesh's own setting holds.</returns>
    public ObjectRef? PeerAuthenticationOf(string workload, int port)
    {
        var pod = _index.Inputs.Workloads.FirstOrDefault(one => string.Create(CultureInfo.InvariantCulture, $"{one.Namespace}/{one.Name}") == workload);
        return pod is not null && PeerModes.Deciding(pod.Namespace, new(pod.Labels), port, new MeshLookups(_index)) is { } policy ? Problems.RefOf(policy) : null;
    }
}
