using Weft.Api;
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
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies.Admission;
using Weft.ApiServer.Strategies.ApiExtensions;
using Weft.ApiServer.Strategies.Autoscaling;
using Weft.ApiServer.Strategies.Batch;
using Weft.ApiServer.Strategies.Cluster;
using Weft.ApiServer.Strategies.Config;
using Weft.ApiServer.Strategies.Networking;
using Weft.ApiServer.Strategies.Pods;
using Weft.ApiServer.Strategies.Policy;
using Weft.ApiServer.Strategies.Rbac;
using Weft.ApiServer.Strategies.Storage;
using Weft.ApiServer.Strategies.Workloads;

namespace Weft.ApiServer.Strategies;

/// <summary>The list of built-in resources: a kind, its strategy, its subresources.</summary>
public static class BuiltInResources
{
    private static readonly ScalePaths Replicas = new(".spec.replicas", ".status.replicas", ".spec.selector");

    // A replication controller's selector is a map of labels, not a LabelSelector.
    private static readonly ScalePaths ReplicasByLabels = new(".spec.replicas", ".status.replicas", ".spec.selector") { SelectorIsLabels = true };
    private static readonly string[] ReadWrite = ["get", "patch", "update"];
    private static readonly string[] Connect = ["create", "get"];

    /// <param name="columns">Table columns of a kind; without it tables show name and age alone.</param>
    public static IReadOnlyList<ResourceInfo> All(SchemaReader schemas, Func<KindInfo, IReadOnlyList<TableColumn>>? columns = null)
    {
        ResourceInfo Stored<T>(DefaultStrategy strategy, ScalePaths? scale = null, params SubresourceInfo[] more) where T : IObject
        {
            var info = Create<T>(strategy);
            SubresourceInfo[] status = strategy.HasStatus ? [new("status", info.Kind, ReadWrite)] : [];
            SubresourceInfo[] scaling = scale is null ? [] : [new("scale", KindInfo.Of<Scale>().Kind, ReadWrite)];
            return info with { HasStatus = strategy.HasStatus, Scale = scale, Subresources = [.. more, .. scaling, .. status] };
        }

        ResourceInfo Virtual<T>() where T : IObject => Create<T>(new VirtualStrategy()) with { Verbs = ["create"] };

        ResourceInfo Live<T>() where T : IObject => Create<T>(new VirtualStrategy()) with { Verbs = ["get", "list"], IsLive = true };

        ResourceInfo Create<T>(IStrategy strategy) where T : IObject
        {
            var kind = KindInfo.Of<T>();
            return new()
            {
                Resource = kind.Resource, Kind = kind.Kind, Singular = kind.Singular, ShortNames = kind.ShortNames, Categories = kind.Categories,
                Namespaced = kind.Namespaced, StorageVersion = kind.Kind.Version, Schema = schemas.FromType(kind.Type), Strategy = strategy,
                Columns = columns?.Invoke(kind) ?? [],
            };
        }

        var autoscalers = schemas.FromType(typeof(HorizontalPodAutoscaler));
        List<ResourceInfo> all =
        [
            Stored<Namespace>(new NamespaceStrategy(), null, new SubresourceInfo("finalize", KindInfo.Of<Namespace>().Kind, ["update"])),
            Stored<Api.Core.Node>(new NodeStrategy()),
            Stored<Pod>(new PodStrategy(), null,
                new("attach", PodOptions("PodAttachOptions"), Connect),
                new("binding", KindInfo.Of<Binding>().Kind, ["create"]),
                new("ephemeralcontainers", KindInfo.Of<Pod>().Kind, ReadWrite),
                new("eviction", KindInfo.Of<Eviction>().Kind, ["create"]),
                new("exec", PodOptions("PodExecOptions"), Connect),
                new("log", KindInfo.Of<Pod>().Kind, ["get"]),
                new("portforward", PodOptions("PodPortForwardOptions"), Connect)),
            Stored<Service>(new ServiceStrategy()),
            Stored<Api.Core.Endpoints>(new EndpointsStrategy()),
            Stored<ConfigMap>(new ConfigMapStrategy()),
            Stored<Secret>(new SecretStrategy()),
            Stored<ServiceAccount>(new ServiceAccountStrategy(), null, new SubresourceInfo("token", KindInfo.Of<TokenRequest>().Kind, ["create"])),
            Stored<PersistentVolume>(new PersistentVolumeStrategy()),
            Stored<PersistentVolumeClaim>(new PersistentVolumeClaimStrategy()),
            Stored<ReplicationController>(new ReplicationControllerStrategy(), ReplicasByLabels),
            Stored<LimitRange>(new LimitRangeStrategy()),
            Stored<ResourceQuota>(new ResourceQuotaStrategy()),
            Stored<Api.Core.Event>(new EventStrategy()),
            Stored<Api.Events.Event>(new EventsEventStrategy()) with { StoredAs = EventForms.Stored },
            Stored<EndpointSlice>(new EndpointSliceStrategy()),
            Stored<Lease>(new LeaseStrategy()),
            Stored<Deployment>(new Workloads.DeploymentStrategy(), Replicas),
            Stored<ReplicaSet>(new ReplicaSetStrategy(), Replicas),
            Stored<ControllerRevision>(new ControllerRevisionStrategy()),
            Stored<StatefulSet>(new StatefulSetStrategy(), Replicas),
            Stored<DaemonSet>(new DaemonSetStrategy()),
            Stored<Job>(new JobStrategy()),
            Stored<CronJob>(new CronJobStrategy()),
            Stored<PodDisruptionBudget>(new PodDisruptionBudgetStrategy()),
            Stored<HorizontalPodAutoscaler>(new AutoscalerStrategy()),
            Stored<Api.Autoscaling.V1.HorizontalPodAutoscaler>(new AutoscalerV1Strategy(autoscalers)) with { StoredAs = AutoscalerForms.StoredAs(autoscalers), StorageVersion = "v2" },
            Stored<NetworkPolicy>(new NetworkPolicyStrategy()),
            Stored<Ingress>(new IngressStrategy()),
            Stored<IngressClass>(new IngressClassStrategy()),
            Stored<StorageClass>(new StorageClassStrategy()),
            Stored<RuntimeClass>(new RuntimeClassStrategy()),
            Stored<PriorityClass>(new PriorityClassStrategy()),
            Stored<Role>(new RoleStrategy()),
            Stored<ClusterRole>(new ClusterRoleStrategy()),
            Stored<RoleBinding>(new BindingStrategy(namespaced: true)),
            Stored<ClusterRoleBinding>(new BindingStrategy(namespaced: false)),
            Stored<MutatingWebhookConfiguration>(new WebhookConfigurationStrategy(mutating: true)),
            Stored<ValidatingWebhookConfiguration>(new WebhookConfigurationStrategy(mutating: false)),
            Stored<ValidatingAdmissionPolicy>(new AdmissionPolicyStrategy()),
            Stored<ValidatingAdmissionPolicyBinding>(new AdmissionPolicyBindingStrategy()),
            Virtual<TokenReview>(),
            Virtual<SelfSubjectReview>(),
            Virtual<SubjectAccessReview>(),
            Virtual<SelfSubjectAccessReview>(),
            Virtual<LocalSubjectAccessReview>(),
            Virtual<SelfSubjectRulesReview>(),
            Live<NodeMetrics>(),
            Live<PodMetrics>(),
            .. CustomMetrics(schemas),
        ];
        all.Add(Stored<CustomResourceDefinition>(new CustomResourceDefinitionStrategy(new ReservedResources([.. all, Create<CustomResourceDefinition>(new VirtualStrategy())]))));
        return all;
    }

    // A metric stands in the path of its object as a subresource; the objects themselves are not served here, as in every adapter of this API.
    private static IEnumerable<ResourceInfo> CustomMetrics(SchemaReader schemas)
    {
        var schema = schemas.FromType(typeof(MetricValueList));
        foreach (var version in (string[])["v1beta2", "v1beta1"])
        {
            var kind = KindInfo.Of<MetricValueList>().Kind with { Version = version };
            foreach (var (plural, singular) in ((string, string)[])[("pods", "pod"), ("services", "service")])
            {
                yield return new()
                {
                    Resource = new(kind.Group, version, plural), Kind = kind, Singular = singular, Namespaced = true, StorageVersion = version, Schema = schema, Strategy = new VirtualStrategy(),
                    Verbs = [], Subresources = [new SubresourceInfo(MetricValueList.RequestsPerSecond, kind, ["get"])],
                };
            }
        }
    }

    private static GroupVersionKind PodOptions(string kind) => new("", "v1", kind);
}
