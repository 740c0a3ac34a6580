using Weft.Api.Core;

namespace Weft.Api.Istio;

/// <summary>Who is in the mesh. Pure; asked by the control plane and by each node's agent, whose answers must be the same.</summary>
public static class MeshMembership
{
    /// <summary>Label of pods and namespaces: `enabled` or `disabled`.</summary>
    public const string Label = "weft.dev/mesh";

    /// <summary>Annotation of nodes: <see cref="OnNode"/> where the agent captures its meshed pods. Elsewhere, as on simulated nodes and such as do not know yet that the mesh was turned on, no pod is meshed.</summary>
    public const string NodeAnnotation = "weft.dev/mesh";

    public const string OnNode = "on", OffNode = "off";

    /// <summary>Annotation of such nodes: where in the cluster their proxy's metrics are had, `10.244.1.1:15020`. A scraper finds them by it.</summary>
    public const string MetricsAnnotation = "weft.dev/mesh-metrics";

    /// <summary>Istio's port of a sidecar's metrics.</summary>
    public const int MetricsPort = 15020;

    private const string Inject = "sidecar.istio.io/inject";
    private const string DataplaneMode = "istio.io/dataplane-mode";
    private const string Injection = "istio-injection";

    // The cluster's own parts, which the mesh itself rests on.
    private static readonly string[] Outside = ["kube-system", "kube-node-lease", "kube-public", "istio-system"];

    /// <summary>Whether the pod's traffic is captured. What stands nearest to the pod decides: its own words before those of its namespace, and Weft's before Istio's.</summary>
    /// <param name="namespace">Null: nothing is known of it, as if it said nothing.</param>
    /// <param name="isOn">Of the cluster: false, and no pod is in the mesh whatever it says.</param>
    public static bool IsMeshed(Pod pod, Namespace? @namespace, bool isOn)
    {
        // A pod of the host's network has no address of its own to be told by.
        if (!isOn || pod.Spec.HostNetwork == true)
            return false;
        return OfPod(pod.Metadata) ?? (@namespace is null ? null : OfNamespace(@namespace.Metadata)) ?? !Outside.Contains(pod.Metadata.Namespace ?? "");
    }

    /// <summary>Whether the node captures what its meshed pods send and get.</summary>
    public static bool Captures(Node node) => node.Metadata.Annotations.GetValueOrDefault(NodeAnnotation) == OnNode;

    private static bool? OfPod(ObjectMeta pod) => Word(pod.Labels, Label, "enabled", "disabled")
        ?? Word(pod.Labels, Inject, "true", "false")
        ?? Word(pod.Annotations, Inject, "true", "false") // its place before Istio 1.10
        ?? Word(pod.Labels, DataplaneMode, "ambient", "none");

    private static bool? OfNamespace(ObjectMeta @namespace) => Word(@namespace.Labels, Label, "enabled", "disabled")
        ?? Word(@namespace.Labels, DataplaneMode, "ambient", "none")
        ?? Word(@namespace.Labels, Injection, "enabled", "disabled");

    private static bool? Word(IReadOnlyDictionary<string, string> words, string name, string yes, string no) =>
        !words.TryGetValue(name, out var word) ? null : word == yes ? true : word == no ? false : null;
}
