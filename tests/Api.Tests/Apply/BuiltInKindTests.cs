using System.Text.Json.Nodes;
using Weft.Api.Apply;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Patches;
using Weft.Api.Schemas;
using Weft.Api.Tests.Trees;
using Weft.Api.Trees;

namespace Weft.Api.Tests.Apply;

/// <summary>The schemas of the C# types carry the same rules as the tests' own.</summary>
public sealed class BuiltInKindTests
{
    private static readonly DateTimeOffset Now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly SchemaReader _schemas = new();

    private const string Web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop, labels: {app: web}}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
              - name: web
                image: web:1
                args: [-v]
                env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
                ports: [{containerPort: 80}, {containerPort: 443, name: tls}]
                resources: {requests: {cpu: 1, memory: 64Mi}}
                readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 5}
                volumeMounts: [{name: data, mountPath: /data}]
              volumes: [{name: data, emptyDir: {}}]
              tolerations: [{operator: Exists}]
              topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]
        """;

    private static JsonObject Tree(string yaml) => (JsonObject)YamlTree.Parse(yaml).Root!;

    [Fact]
    public void A_written_deployment_is_known_and_valid()
    {
        var schema = _schemas.FromType(typeof(Deployment));
        var tree = Tree(Web);
        Assert.Empty(Pruner.Prune(tree, schema));
        Assert.Empty(StructuralValidator.Validate(tree, schema));
        tree["spec"]!["template"]!["spec"]!["containers"]![0]!["imagee"] = "x";
        tree["spec"]!["replicas"] = "two";
        Assert.Equal(["spec.template.spec.containers[0].imagee"], Pruner.Prune(tree, schema));
        Assert.Equal(["spec.replicas: Invalid value: \"string\": spec.replicas in body must be of type integer: \"string\""], StructuralValidator.Validate(tree, schema).Select(e => e.ToString()));
    }

    [Fact]
    public void Owned_fields_of_a_deployment_are_those_of_kubernetes()
    {
        var tree = ServerSideApply.Apply(null, Tree(Web), _schemas.FromType(typeof(Deployment)), new("kubectl", "apps/v1", HasStatus: true), false, Now).Object!;
        Assert.Equal(Shape.Json("""
            {"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},
             "f:template":{"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:args":{},
               "f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"B\"}":{".":{},"f:name":{},"f:valueFrom":{"f:fieldRef":{}}}},
               "f:image":{},"f:name":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}},"k:{\"containerPort\":443,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:name":{}}},
               "f:readinessProbe":{"f:httpGet":{"f:path":{},"f:port":{}},"f:periodSeconds":{}},"f:resources":{"f:requests":{"f:cpu":{},"f:memory":{}}},
               "f:volumeMounts":{"k:{\"mountPath\":\"/data\"}":{".":{},"f:mountPath":{},"f:name":{}}}}},"f:tolerations":{},
               "f:topologySpreadConstraints":{"k:{\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\"}":{".":{},"f:labelSelector":{},"f:maxSkew":{},"f:topologyKey":{},"f:whenUnsatisfiable":{}}},
               "f:volumes":{"k:{\"name\":\"data\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}}}
            """).ToJsonString(), tree["metadata"]!["managedFields"]![0]!["fieldsV1"]!.ToJsonString());
    }

    [Fact]
    public void A_deployment_takes_the_patches_of_client_side_apply()
    {
        var result = StrategicMergePatch.Apply(Tree(Web), Shape.Tree("""
            {"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate","rollingUpdate":null},"template":{"spec":{"$setElementOrder/containers":[{"name":"web"},{"name":"log"}],"$setElementOrder/volumes":[{"name":"data"}],
              "containers":[{"$setElementOrder/env":[{"name":"B"},{"name":"C"}],"$setElementOrder/volumeMounts":[{"mountPath":"/data"}],"name":"web","image":"web:2","args":null,
                "env":[{"name":"C","value":"3"},{"$patch":"delete","name":"A"}]},{"name":"log","image":"log:1"}],
              "volumes":[{"$retainKeys":["configMap","name"],"configMap":{"name":"c"},"emptyDir":null,"name":"data"}]}}}}
            """), _schemas.FromType(typeof(Deployment)));
        var pod = result["spec"]!["template"]!["spec"]!;
        Assert.Equal("""{"type":"Recreate"}""", result["spec"]!["strategy"]!.ToJsonString());
        Assert.Equal(["web", "log"], pod["containers"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        Assert.Equal("web:2", pod["containers"]![0]!["image"]!.GetValue<string>());
        Assert.Null(pod["containers"]![0]!["args"]);
        Assert.Equal("""[{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"C","value":"3"}]""", pod["containers"]![0]!["env"]!.ToJsonString());
        Assert.Equal("""[{"name":"data","configMap":{"name":"c"}}]""", pod["volumes"]!.ToJsonString());
    }

    [Fact]
    public void Ports_of_a_service_merge_by_their_number()
    {
        var service = Tree("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, ports: [{name: http, port: 80, nodePort: 30080}, {name: tls, port: 443}]}}");
        var result = StrategicMergePatch.Apply(service, Shape.Tree("""
            {"spec":{"$setElementOrder/ports":[{"port":80},{"port":8443}],"ports":[{"port":80,"targetPort":8080},{"name":"tls","port":8443},{"$patch":"delete","port":443}]}}
            """), _schemas.FromType(typeof(Service)));
        Assert.Equal("""[{"name":"http","port":80,"nodePort":30080,"targetPort":8080},{"name":"tls","port":8443}]""", result["spec"]!["ports"]!.ToJsonString());
    }

    // The server's defaults belong to nobody, so applying the same text again after defaulting changes nothing.
    [Fact]
    public void Applying_again_after_the_servers_defaults_changes_nothing()
    {
        var schema = _schemas.FromType(typeof(Deployment));
        var manager = new FieldManager("kubectl", "apps/v1", HasStatus: true);
        var tree = ServerSideApply.Apply(null, Tree(Web), schema, manager, false, Now).Object!;
        Defaulter.Apply(tree, schema);
        tree["spec"]!["revisionHistoryLimit"] = 10;
        foreach (var port in tree["spec"]!["template"]!["spec"]!["containers"]![0]!["ports"]!.AsArray())
            port!["protocol"] = "TCP";
        Assert.False(ServerSideApply.Apply(tree, Tree(Web), schema, manager, false, Now.AddHours(1)).Changed);
    }

    // As the server stores it: `cpu: 1` as "1", and a fieldRef with its apiVersion.
    private static void Complete(JsonObject tree)
    {
        if (tree.At("spec", "template", "spec") is not JsonObject pod)
            return;
        var container = pod["containers"]![0]!;
        container["resources"]!["requests"]!["cpu"] = "1";
        container["env"]![1]!["valueFrom"]!["fieldRef"]!["apiVersion"] = "v1";
    }

    [Fact]
    public void A_value_that_is_stored_in_another_form_is_neither_a_change_nor_a_conflict()
    {
        var schema = _schemas.FromType(typeof(Deployment));
        var stored = Tree(Web);
        Complete(stored);
        ManagedFields.Update(null, stored, schema, new("creator", "apps/v1", HasStatus: true), Now);

        var first = ServerSideApply.Apply(stored, Tree(Web), schema, new("me", "apps/v1", HasStatus: true), false, Now, Complete);
        Assert.Empty(first.Conflicts);
        Assert.True(JsonNode.DeepEquals(stored["spec"], first.Object!["spec"]));
        Assert.False(ServerSideApply.Apply(first.Object, Tree(Web), schema, new("me", "apps/v1", HasStatus: true), false, Now.AddHours(1), Complete).Changed);
        Assert.Equal(2, ServerSideApply.Apply(stored, Tree(Web), schema, new("me", "apps/v1", HasStatus: true), false, Now).Conflicts.Count);
    }

    [Fact]
    public void Server_side_apply_takes_over_from_client_side_apply_in_spite_of_defaults()
    {
        var schema = _schemas.FromType(typeof(Deployment));
        var stored = Tree(Web);
        stored["metadata"]!["annotations"] = new JsonObject { [LastApplied.Annotation] = stored.ToJsonString() };
        Complete(stored);
        ManagedFields.Update(null, stored, schema, new("kubectl-client-side-apply", "apps/v1", HasStatus: true), Now);

        var changed = Tree(Web.Replace("web:1", "web:2", StringComparison.Ordinal).Replace("cpu: 1", "cpu: 1000m", StringComparison.Ordinal));
        var outcome = ServerSideApply.Apply(stored, changed, schema, new("kubectl", "apps/v1", HasStatus: true), false, Now, Complete);
        Assert.Empty(outcome.Conflicts);
        Assert.Equal("web:2", outcome.Object!["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]!.GetValue<string>());
    }
}
