using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.ApiExtensions;
using Weft.Api.Cel.Rules;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.FrontDoor;
using Weft.Api.Istio;
using Weft.Api.Json;
using Weft.Api.Linkerd;
using Weft.Api.Networking;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.Balancing;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Feed;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Secrets;
using Weft.Control.Mesh.Zones;
using Weft.Proxy.Config;
using Gateway = Weft.Api.Istio.Gateway;

namespace Weft.Control.Mesh.Analysis;

/// <summary>What the server would say about manifests, without one: their schemas, old forms, and all that the compiler finds. Pure.</summary>
public sealed class MeshAnalysis
{
    private readonly SchemaReader _schemas = new();
    private readonly Dictionary<string, PreinstalledKind> _kinds = MeshKinds.All().Concat(WeftKinds.Preinstalled()).ToDictionary(kind => kind.Kind.Kind.Kind);
    private readonly Dictionary<ObjectRef, JsonObject> _objects = [];

    /// <summary>Kinds that have a part in it, by their types: what of a cluster is to be read.</summary>
    public static IReadOnlyList<Type> Types { get; } =
        [typeof(Service), typeof(EndpointSlice), typeof(Pod), typeof(Node), typeof(Namespace), typeof(Ingress), typeof(IngressClass), .. MeshKinds.All().Select(kind => kind.Kind.Type), .. WeftKinds.Types];

    /// <summary>What of a cluster is to be read beside them: the mesh's own configuration.</summary>
    public static ObjectKey MeshConfig { get; } = new(new MeshSettings().RootNamespace, MeshConfigMap.Name);

    /// <summary>One that has the kind and name of an earlier one takes its place. Kinds that have no part in the mesh are passed over.</summary>
    public void Add(JsonObject tree, string defaultNamespace)
    {
        if ((string?)(tree["kind"] as JsonValue) is not { } kind || (string?)(tree["apiVersion"] as JsonValue) is not { } version || tree["metadata"] is not JsonObject metadata)
            return;
        var isOurs = _kinds.TryGetValue(kind, out var installed) && version.StartsWith(installed.Kind.Kind.Group + "/", StringComparison.Ordinal);
        var isConfig = kind == "ConfigMap" && version == "v1" && (string?)metadata["name"] == MeshConfig.Name && ((string?)metadata["namespace"] ?? defaultNamespace) == MeshConfig.Namespace;
        var isDoors = kind is "Ingress" or "IngressClass" && version == "networking.k8s.io/v1";
        if (!isOurs && !isConfig && !isDoors && !version.Split('/')[0].EndsWith("istio.io", StringComparison.Ordinal) && kind is not ("Service" or "EndpointSlice" or "Pod" or "Node" or "Namespace" or "Secret"))
            return;
        var isNamespaced = isOurs ? installed!.Kind.Namespaced : kind is not ("Node" or "Namespace" or "IngressClass");
        if (isNamespaced && string.IsNullOrEmpty((string?)metadata["namespace"]))
            metadata["namespace"] = defaultNamespace;
        _objects[new(kind, isNamespaced ? (string?)metadata["namespace"] ?? "" : "", (string?)metadata["name"] ?? "")] = tree;
    }

    /// <param name="secrets">Of a cluster, by `namespace/name`; null: only those that were added are looked at, and none is missed.</param>
    public MeshReport Run(MeshSettings settings, IReadOnlyDictionary<string, Secret>? secrets = null)
    {
        var problems = new List<MeshDiagnostic>();
        var read = _objects.Select(pair => (About: pair.Key, Value: Read(pair.Key, pair.Value, problems))).Where(pair => pair.Value is not null).ToList();
        if (read.Select(pair => pair.Value).OfType<ConfigMap>().FirstOrDefault() is { } config)
            settings = Configured(settings, config, problems);
        var own = read.Select(pair => pair.Value).OfType<Secret>().ToDictionary(secret => $"{secret.Metadata.Namespace}/{secret.Metadata.Name}");
        Secret? Find(string name) => own.GetValueOrDefault(name) ?? secrets?.GetValueOrDefault(name);
        var inputs = Inputs(settings, [.. read.Select(pair => pair.Value!)]);
        inputs = inputs with { Secrets = DoorSecrets.Of(inputs, (@namespace, name) => Find($"{@namespace}/{name}")) };
        var (snapshot, quarantined) = Quarantine.Compile(inputs, null);
        problems.AddRange(snapshot.Diagnostics.Where(problem => secrets is not null || !IsOfMissingSecret(problem)));
        problems.AddRange(quarantined);
        problems.AddRange(ServiceMeshZones.Of(read.Select(pair => pair.Value).OfType<ServiceMesh>(), settings.ClusterDomain).Diagnostics);

        var needs = SecretUnits.Needs(snapshot.Units.SelectMany(SecretReferences.Of));
        problems.AddRange(SecretUnits.Diagnostics(snapshot.Index!.Inputs, needs.Where(pair => secrets is not null || Find(pair.Key) is not null).ToDictionary(pair => pair.Key, pair => SecretUnits.Read(pair.Key, pair.Value, Find))));
        return new()
        {
            Diagnostics = [.. problems.Distinct().OrderBy(problem => problem.Object.Namespace, StringComparer.Ordinal).ThenBy(problem => problem.Object.Kind, StringComparer.Ordinal).ThenBy(problem => problem.Object.Name, StringComparer.Ordinal)],
            Secrets = [.. needs.Keys.SelectMany(name => new[] { name, name + SecretUnits.AuthoritiesSuffix }).Concat(DoorSecrets.Named(inputs)).Distinct().Where(SecretFeed.IsName).Order(StringComparer.Ordinal)],
            Objects = read.Count,
            Units = snapshot.Units,
            Origins = new MeshOrigins(snapshot.Index!),
        };
    }

    // What was not given may be there all the same.
    private static bool IsOfMissingSecret(MeshDiagnostic problem) => problem.Message.StartsWith("there is no Secret '", StringComparison.Ordinal);

    // One that cannot be read leaves what held before; here that is what holds without it.
    private static MeshSettings Configured(MeshSettings settings, ConfigMap map, List<MeshDiagnostic> diagnostics)
    {
        var read = MeshConfigMap.Read(settings, map.Data.GetValueOrDefault(MeshConfigMap.Key) ?? "");
        var (about, field) = (Problems.Of(map, diagnostics), $"data.{MeshConfigMap.Key}");
        foreach (var problem in read.Problems)
        {
            if (read.Settings is null || read.KeepsTelemetry)
                about.Error(field, problem);
            else
                about.Warn(field, problem);
        }

        return read.Settings ?? settings;
    }

    private IObject? Read(ObjectRef about, JsonObject tree, List<MeshDiagnostic> diagnostics)
    {
        var problems = new Problems(about, diagnostics);
        try
        {
            switch (about.Kind)
            {
                case "Service": return ApiJson.FromTree<Service>(tree);
                case "EndpointSlice": return ApiJson.FromTree<EndpointSlice>(tree);
                case "Pod": return ApiJson.FromTree<Pod>(tree);
                case "Node": return ApiJson.FromTree<Node>(tree);
                case "Namespace": return ApiJson.FromTree<Namespace>(tree);
                case "Ingress": return ApiJson.FromTree<Ingress>(tree);
                case "IngressClass": return ApiJson.FromTree<IngressClass>(tree);
                case "ConfigMap": return ApiJson.FromTree<ConfigMap>(tree);
                case "Secret": return ApiJson.FromTree<Secret>(tree);
            }

            if (!_kinds.TryGetValue(about.Kind, out var kind))
            {
                problems.Error("kind", $"{tree["apiVersion"]} {about.Kind} is not served, so it has no effect");
                return null;
            }

            var versions = kind.OlderVersions.Prepend(kind.Kind.Kind.Version).ToList();
            if (!versions.Contains(((string)tree["apiVersion"]!).Split('/')[^1]))
            {
                problems.Error("apiVersion", $"{tree["apiVersion"]} is not served; write {kind.Kind.Kind.Group}/{versions[0]}");
                return null;
            }

            return Check(tree, kind, problems) ? (IObject?)JsonSerializer.Deserialize(tree, kind.Kind.Type, ApiJson.Options) : null;
        }
        catch (JsonException unreadable)
        {
            problems.Error(unreadable.Path?.TrimStart('$', '.') ?? "", "cannot be read: has a value of another type than the field's");
            return null;
        }
    }

    // As the server does it, before anything else looks at the object.
    private bool Check(JsonObject tree, PreinstalledKind kind, Problems problems)
    {
        var schema = _schemas.FromType(kind.Kind.Type);
        Pruner.DropNulls(tree, schema);
        foreach (var field in Pruner.Prune(tree, schema))
            problems.Warn(field, "is unknown, and is dropped; look at its spelling and place");
        foreach (var warning in kind.Warnings(tree))
            problems.Warn("", warning);
        foreach (var error in StructuralValidator.Validate(tree, schema))
            problems.Error(error.Path, $"{error}; the server refuses the object");
        // Rules are for what fits the schema otherwise.
        foreach (var error in problems.Errors > 0 ? [] : RuleValidator.Validate(tree, schema, null))
            problems.Error(error.Path, $"{error}; the server refuses the object");
        return problems.Errors == 0;
    }

    private static MeshInputs Inputs(MeshSettings settings, List<IObject> all)
    {
        var nodes = all.OfType<Node>().ToDictionary(node => node.Metadata.Name ?? "");
        var namespaces = all.OfType<Namespace>().ToDictionary(value => value.Metadata.Name ?? "");
        return new()
        {
            Settings = settings, Services = Of<Service>(), Slices = Of<EndpointSlice>(), Workloads = [.. all.OfType<Pod>().Select(Workload).OfType<MeshWorkload>()], Nodes = [.. all.OfType<Node>().Select(NodePlace.Of)],
            VirtualServices = Of<VirtualService>(), DestinationRules = Of<DestinationRule>(), ServiceEntries = Of<ServiceEntry>(), WorkloadEntries = Of<WorkloadEntry>(),
            Gateways = Of<Gateway>(), Sidecars = Of<Sidecar>(), PeerAuthentications = Of<PeerAuthentication>(), OldPolicies = Of<OldPolicy>(),
            RequestAuthentications = Of<RequestAuthentication>(), AuthorizationPolicies = Of<AuthorizationPolicy>(), Telemetries = Of<Telemetry>(),
            Ingresses = Of<Ingress>(), IngressClasses = Of<IngressClass>(), RateLimitPolicies = Of<RateLimitPolicy>(), ApiKeyPolicies = Of<ApiKeyPolicy>(), BasicAuthPolicies = Of<BasicAuthPolicy>(), JwtPolicies = Of<JwtPolicy>(),
        };

        ImmutableArray<T> Of<T>() => [.. all.OfType<T>()];

        MeshWorkload? Workload(Pod pod) => MeshWorkload.Of(
            pod, nodes.TryGetValue(pod.Spec.NodeName ?? "", out var node) ? NodePlace.Of(node).Locality : default(Locality),
            MeshMembership.IsMeshed(pod, namespaces.GetValueOrDefault(pod.Metadata.Namespace ?? ""), isOn: true));
    }
}

/// <summary>What an analysis has found.</summary>
public sealed record MeshReport
{
    public ImmutableArray<MeshDiagnostic> Diagnostics { get; init; } = [];

    /// <summary>Names of the Secrets that the mesh would read: `namespace/name`.</summary>
    public ImmutableArray<string> Secrets { get; init; } = [];

    /// <summary>How many were looked at.</summary>
    public int Objects { get; init; }

    /// <summary>What proxies would be told, but for Secrets.</summary>
    public ImmutableArray<ConfigUnit> Units { get; init; } = [];

    /// <summary>Null: nothing was compiled.</summary>
    public MeshOrigins? Origins { get; init; }
}
