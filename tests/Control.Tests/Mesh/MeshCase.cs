using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.FrontDoor;
using Weft.Api.Json;
using Weft.Api.Networking;
using Weft.Api.Schemas;
using Weft.Api.Trees;
using Weft.Balancing;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Telemetries;
using Weft.Control.Workloads;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Tests.Mesh;

/// <summary>Manifests as inputs of the compiler. Istio's are checked by the schemas of their types, as the API server would.</summary>
internal sealed record MeshCase(MeshInputs Inputs, IReadOnlyList<string> SchemaErrors)
{
    private static readonly SchemaReader Schemas = new();

    private static readonly Dictionary<string, KindInfo> IstioKinds = Istio.IstioKinds.All().Concat(WeftKinds.All())
        .SelectMany(kind => kind.OlderVersions.Append(kind.Kind.Version).Select(version => ($"{kind.Kind.Group}/{version} {kind.Kind.Kind}", kind))).ToDictionary();

    public static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Golden");

    public static MeshCase Read(params IEnumerable<string> files) => Parse(string.Join("\n---\n", files.Select(File.ReadAllText)));

    public static MeshCase Parse(string yaml)
    {
        var (inputs, errors, secrets) = (new MeshInputs(), new List<string>(), new Dictionary<string, Secret>());
        foreach (var document in YamlTree.ParseAll(yaml))
        {
            var tree = document.Root!.AsObject();
            // As kubectl does it.
            tree["metadata"]!.AsObject().TryAdd("namespace", "default");
            if (tree["kind"]!.GetValue<string>() == "Secret" && Secret(tree) is var secret)
                secrets[$"{secret.Metadata.Namespace}/{secret.Metadata.Name}"] = secret;
            else
                inputs = Add(inputs, tree, errors);
        }

        return new(inputs with { Secrets = DoorSecrets.Of(inputs, (@namespace, name) => secrets.GetValueOrDefault($"{@namespace}/{name}")) }, errors);
    }

    private static MeshInputs Add(MeshInputs inputs, JsonObject tree, List<string> errors)
    {
        var kind = tree["kind"]!.GetValue<string>();
        if (IstioKinds.TryGetValue($"{tree["apiVersion"]} {kind}", out var info))
            Check(tree, info, errors);
        return kind switch
        {
            "Service" => inputs with { Services = inputs.Services.Add(ApiJson.FromTree<Service>(tree)) },
            "EndpointSlice" => inputs with { Slices = inputs.Slices.Add(ApiJson.FromTree<EndpointSlice>(tree)) },
            "Node" => inputs with { Nodes = inputs.Nodes.Add(NodePlace.Of(ApiJson.FromTree<Node>(tree))) },
            "Pod" => inputs with { Workloads = inputs.Workloads.Add(Workload(ApiJson.FromTree<Pod>(tree))) },
            "VirtualService" => inputs with { VirtualServices = inputs.VirtualServices.Add(ApiJson.FromTree<Istio.VirtualService>(tree)) },
            "DestinationRule" => inputs with { DestinationRules = inputs.DestinationRules.Add(ApiJson.FromTree<Istio.DestinationRule>(tree)) },
            "ServiceEntry" => inputs with { ServiceEntries = inputs.ServiceEntries.Add(ApiJson.FromTree<Istio.ServiceEntry>(tree)) },
            "WorkloadEntry" => inputs with { WorkloadEntries = inputs.WorkloadEntries.Add(ApiJson.FromTree<Istio.WorkloadEntry>(tree)) },
            "Gateway" => inputs with { Gateways = inputs.Gateways.Add(ApiJson.FromTree<Istio.Gateway>(tree)) },
            "Sidecar" => inputs with { Sidecars = inputs.Sidecars.Add(ApiJson.FromTree<Istio.Sidecar>(tree)) },
            "PeerAuthentication" => inputs with { PeerAuthentications = inputs.PeerAuthentications.Add(ApiJson.FromTree<Istio.PeerAuthentication>(tree)) },
            "Policy" => inputs with { OldPolicies = inputs.OldPolicies.Add(ApiJson.FromTree<Istio.OldPolicy>(tree)) },
            "RequestAuthentication" => inputs with { RequestAuthentications = inputs.RequestAuthentications.Add(ApiJson.FromTree<Istio.RequestAuthentication>(tree)) },
            "AuthorizationPolicy" => inputs with { AuthorizationPolicies = inputs.AuthorizationPolicies.Add(ApiJson.FromTree<Istio.AuthorizationPolicy>(tree)) },
            "Telemetry" => inputs with { Telemetries = inputs.Telemetries.Add(ApiJson.FromTree<Istio.Telemetry>(tree)) },
            "Ingress" => inputs with { Ingresses = inputs.Ingresses.Add(ApiJson.FromTree<Ingress>(tree)) },
            "IngressClass" => inputs with { IngressClasses = inputs.IngressClasses.Add(ApiJson.FromTree<IngressClass>(tree)) },
            "RateLimitPolicy" => inputs with { RateLimitPolicies = inputs.RateLimitPolicies.Add(ApiJson.FromTree<RateLimitPolicy>(tree)) },
            "ApiKeyPolicy" => inputs with { ApiKeyPolicies = inputs.ApiKeyPolicies.Add(ApiJson.FromTree<ApiKeyPolicy>(tree)) },
            "BasicAuthPolicy" => inputs with { BasicAuthPolicies = inputs.BasicAuthPolicies.Add(ApiJson.FromTree<BasicAuthPolicy>(tree)) },
            "JwtPolicy" => inputs with { JwtPolicies = inputs.JwtPolicies.Add(ApiJson.FromTree<JwtPolicy>(tree)) },
            "MeshSettings" => inputs with { Settings = Settings(tree["spec"]!.AsObject()) },
            _ => throw new InvalidOperationException($"no input of the mesh: {kind}"),
        };
    }

    // As the server makes data of stringData.
    private static Secret Secret(JsonObject tree)
    {
        var secret = ApiJson.FromTree<Secret>(tree);
        return secret with { Data = secret.StringData.ToDictionary(entry => entry.Key, entry => System.Text.Encoding.UTF8.GetBytes(entry.Value)) };
    }

    private static void Check(JsonObject tree, KindInfo info, List<string> errors)
    {
        var schema = Schemas.FromType(info.Type);
        var name = $"{info.Kind.Kind} {tree["metadata"]!["namespace"]}/{tree["metadata"]!["name"]}";
        // Null is the same as absent, as the server has it.
        var copy = tree.DeepClone().AsObject();
        Pruner.DropNulls(copy, schema);
        errors.AddRange(Pruner.Prune(copy, schema).Select(field => $"{name}: unknown field {field}"));
        errors.AddRange(StructuralValidator.Validate(copy, schema).Select(error => $"{name}: {error}"));
    }

    // The node's name is its zone, so that a case needs no Node; who says nothing of it is ready.
    private static MeshWorkload Workload(Pod pod)
        => MeshWorkload.Of(pod, new Locality("here", pod.Spec.NodeName, null), pod.Metadata.Labels.GetValueOrDefault("weft.dev/mesh") != "disabled")! with { IsReady = pod.Status.Conditions.Count == 0 || pod.IsReady() };

    private static MeshSettings Settings(JsonObject spec) => new()
    {
        MutualTls = Enum.Parse<MutualTls>(spec["mutualTls"]?.GetValue<string>() ?? "Permissive"),
        TrustedProxies = (spec["trustedProxies"] as JsonArray ?? []).Select(item => item!.GetValue<string>()).ToValueList(),
        ClusterRanges = (spec["clusterRanges"] as JsonArray ?? []).Select(item => item!.GetValue<string>()).ToValueList(),
        Telemetry = spec["meshConfig"]?.GetValue<string>() is { } text ? TelemetryConfigReader.Read(text).Settings! : new(),
        AllowAny = spec["allowAny"]?.GetValue<bool>() ?? true,
        Authorizers = (spec["authorizers"] as JsonArray ?? []).Select(item => new AuthorizerSettings
        {
            Name = item!["name"]!.GetValue<string>(), Service = item["service"]!.GetValue<string>(), Port = (int)item["port"]!.GetValue<decimal>(), PathPrefix = item["pathPrefix"]?.GetValue<string>() ?? "",
            Protocol = Enum.Parse<AuthorizerProtocol>(item["protocol"]?.GetValue<string>() ?? "Http"),
        }).ToValueList(),
    };
}
