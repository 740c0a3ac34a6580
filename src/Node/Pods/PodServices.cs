using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Agent;
using Weft.Node.Images;
using Weft.Node.Network;
using Weft.Node.Network.Mesh;
using Weft.Node.Pressure;
using Weft.Node.Probes;
using Weft.Node.Runtime;
using Weft.Node.Volumes;

namespace Weft.Node.Pods;

/// <summary>What every pod worker uses.</summary>
/// <param name="Runtime">All runtimes; of a worker that knows its pod's runtime, that one.</param>
internal sealed record PodServices(
    KubeClient Client, ObjectCache<Pod> Cache, IPodRuntime Runtime, RuntimeChooser Chooser, ImagePuller Puller, PodVolumes Volumes, ObjectWatches<ConfigMap> ConfigMaps, ObjectWatches<Secret> Secrets,
    ProbeClient Probes, EventRecorder Events, StatusWriter Statuses, PodDirectories Directories, NodeFacts Node, DnsSettings Dns, PodEnvironment Environment,
    Func<NodeState> State, TimeProvider Time, ILoggerFactory Loggers)
{
    /// <summary>The handler of the runtime that was chosen; null: not chosen yet.</summary>
    public string? Handler { get; init; }

    /// <summary>Null: the cluster has no mesh.</summary>
    public MeshPods? Mesh { get; init; }

    /// <summary>Null: pods end as soon as they are deleted.</summary>
    public PodWithdrawal? Withdrawal { get; init; }

    public bool OfImages => Handler is not (null or PodRuntimes.ProcessHandler);
}

/// <summary>Facts of the machine and the cluster that containers' environment is made from.</summary>
/// <param name="ApiAddress">Of the `kubernetes` service. Null: pods are not told where the API is.</param>
/// <param name="ServicesOf">The services of a namespace.</param>
internal sealed record PodEnvironment(string? ApiAddress, Func<string, IEnumerable<Service>> ServicesOf, ulong OwnCapabilities)
{
    public IReadOnlyDictionary<string, string> Variables(Pod pod)
    {
        var variables = pod.Spec.EnableServiceLinks == false ? [] : ServiceEnvironment.Of(ServicesOf(pod.Metadata.Namespace ?? "")).ToDictionary();
        foreach (var (name, value) in ApiAddress is null ? new Dictionary<string, string>() : ServiceEnvironment.OfApi(ApiAddress))
            variables[name] = value;
        return variables;
    }
}

/// <summary>Names of ConfigMaps and Secrets that a pod refers to. Pure.</summary>
internal static class PodReferences
{
    public static (IReadOnlySet<string> ConfigMaps, IReadOnlySet<string> Secrets) Of(Pod pod)
    {
        var (maps, secrets) = (new HashSet<string>(), new HashSet<string>());
        foreach (var pull in pod.Spec.ImagePullSecrets)
            Add(secrets, pull.Name);
        foreach (var volume in pod.Spec.Volumes)
        {
            Add(maps, volume.ConfigMap?.Name);
            Add(secrets, volume.Secret?.SecretName);
            foreach (var source in volume.Projected?.Sources ?? [])
            {
                Add(maps, source.ConfigMap?.Name);
                Add(secrets, source.Secret?.Name);
            }
        }
        foreach (var container in PodShape.AllContainers(pod))
        {
            foreach (var source in container.EnvFrom)
            {
                Add(maps, source.ConfigMapRef?.Name);
                Add(secrets, source.SecretRef?.Name);
            }
            foreach (var variable in container.Env)
            {
                Add(maps, variable.ValueFrom?.ConfigMapKeyRef?.Name);
                Add(secrets, variable.ValueFrom?.SecretKeyRef?.Name);
            }
        }
        return (maps, secrets);

        static void Add(HashSet<string> set, string? name)
        {
            if (!string.IsNullOrEmpty(name))
                set.Add(name);
        }
    }
}
