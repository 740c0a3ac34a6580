using System.Reflection;
using Weft.Api.Admission;
using Weft.Api.ApiExtensions;
using Weft.Api.Apps;
using Weft.Api.Authentication;
using Weft.Api.Authorization;
using Weft.Api.Autoscaling;
using Weft.Api.Batch;
using Weft.Api.Coordination;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Metrics;
using Weft.Api.Networking;
using Weft.Api.Nodes;
using Weft.Api.Policy;
using Weft.Api.Rbac;
using Weft.Api.Scheduling;
using Weft.Api.Schemas;
using Weft.Api.Storage;

namespace Weft.Api;

/// <summary>What the <see cref="KindAttribute"/> of a type says.</summary>
public sealed record KindInfo(
    Type Type, GroupVersionKind Kind, string Plural, bool Namespaced,
    IReadOnlyList<string> ShortNames, IReadOnlyList<string> Categories, string? DefinitionPrefix)
{
    /// <summary>Further versions that it is served in, with the same schema.</summary>
    public IReadOnlyList<string> OlderVersions { get; init; } = [];

    public GroupVersionResource Resource => new(Kind.Group, Kind.Version, Plural);
    public string Singular => Kind.Kind.ToLowerInvariant();

    /// <summary>OpenAPI definition name: io.k8s.api.core.v1.Pod.</summary>
    public string DefinitionName => $"{DefinitionPrefix}.{Kind.Kind}";

    public static KindInfo Of<T>() where T : IObject => Cache<T>.Info;

    public static KindInfo Of(Type type)
    {
        var attribute = type.GetCustomAttribute<KindAttribute>()
            ?? throw new ArgumentException($"{type.Name} is no kind: it has no [Kind]", nameof(type));
        return new(
            type, new(attribute.Group, attribute.Version, attribute.Kind), attribute.Plural ?? attribute.Kind.ToLowerInvariant() + "s",
            !attribute.ClusterScoped, attribute.ShortNames, attribute.Categories, attribute.DefinitionPrefix)
        {
            OlderVersions = attribute.OlderVersions,
        };
    }

    private static class Cache<T>
    {
        internal static readonly KindInfo Info = Of(typeof(T));
    }
}

/// <summary>Every kind that Weft serves from a C# type, in the order of discovery.</summary>
public static class BuiltInKinds
{
    /// <summary>Reads attributes: call it once at start and keep the answer.</summary>
    public static IReadOnlyList<KindInfo> All() => [.. Types.Select(KindInfo.Of)];

    public static IReadOnlyList<Type> Types { get; } =
    [
        typeof(Namespace), typeof(Core.Node), typeof(Pod), typeof(Binding), typeof(Service), typeof(Core.Endpoints), typeof(ConfigMap), typeof(Secret),
        typeof(ServiceAccount), typeof(PersistentVolume), typeof(PersistentVolumeClaim), typeof(ReplicationController), typeof(LimitRange), typeof(ResourceQuota),
        typeof(Core.Event),
        typeof(Events.Event), typeof(EndpointSlice), typeof(Lease),
        typeof(Deployment), typeof(ReplicaSet), typeof(ControllerRevision), typeof(StatefulSet), typeof(DaemonSet),
        typeof(Job), typeof(CronJob), typeof(PodDisruptionBudget), typeof(HorizontalPodAutoscaler), typeof(Autoscaling.V1.HorizontalPodAutoscaler),
        typeof(NetworkPolicy), typeof(Ingress), typeof(IngressClass), typeof(StorageClass),
        typeof(RuntimeClass), typeof(PriorityClass),
        typeof(Role), typeof(ClusterRole), typeof(RoleBinding), typeof(ClusterRoleBinding),
        typeof(MutatingWebhookConfiguration), typeof(ValidatingWebhookConfiguration), typeof(ValidatingAdmissionPolicy), typeof(ValidatingAdmissionPolicyBinding),
        typeof(TokenReview), typeof(TokenRequest), typeof(SelfSubjectReview),
        typeof(SubjectAccessReview), typeof(SelfSubjectAccessReview), typeof(LocalSubjectAccessReview), typeof(SelfSubjectRulesReview),
        typeof(Scale), typeof(Eviction), typeof(CustomResourceDefinition),
        typeof(NodeMetrics), typeof(PodMetrics),
    ];
}
