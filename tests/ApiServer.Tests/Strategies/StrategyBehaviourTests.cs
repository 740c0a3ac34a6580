using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.ApiServer.Tests.Strategies;

public sealed class StrategyBehaviourTests
{
    private static JsonObject Created(string kind) => StrategyCases.Kind(kind).Create(StrategyCases.Good[kind]);

    [Fact]
    public void A_deployment_gets_what_Kubernetes_gives_it()
    {
        var spec = Created("deployments.apps")["spec"]!;
        Assert.Equal((1, 10, 600), (spec["replicas"].AsInteger(), spec["revisionHistoryLimit"].AsInteger(), spec["progressDeadlineSeconds"].AsInteger()));
        Assert.Equal("""{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}}""", spec["strategy"]!.ToJsonString());
        Assert.Equal("Always", spec["template"]!["spec"]!["restartPolicy"].AsText());
        Assert.Null(spec["template"]!["spec"]!["enableServiceLinks"]);
    }

    [Fact]
    public void A_template_that_is_most_likely_not_meant_gives_warnings_when_it_is_written()
    {
        var deployments = StrategyCases.Kind("deployments.apps");
        var twice = Subject.With(StrategyCases.Deployment, ("spec.template.spec.containers[0].env", """[{"name":"A"},{"name":"A"}]"""));
        Assert.StartsWith("spec.template.spec.containers[0].env[1]: hides previous definition", Assert.Single(deployments.Warnings(twice)), StringComparison.Ordinal);
        var stored = deployments.Create(twice);
        Assert.Empty(deployments.Resource.Strategy.Warnings(Subject.With(stored, ("spec.replicas", "3")), stored));
    }

    [Fact]
    public void A_service_gets_what_Kubernetes_gives_it()
    {
        var spec = Created("services")["spec"]!;
        Assert.Equal("""{"selector":{"app":"web"},"ports":[{"port":80,"name":"http","protocol":"TCP","targetPort":80}],"sessionAffinity":"None","type":"ClusterIP","internalTrafficPolicy":"Cluster","ipFamilyPolicy":"SingleStack","ipFamilies":["IPv4"]}""", spec.ToJsonString());
    }

    [Fact]
    public void An_update_keeps_the_addresses_that_it_does_not_name()
    {
        var services = Subject.Of("services");
        var old = Subject.With(Created("services"), ("spec.type", "\"NodePort\""), ("spec.externalTrafficPolicy", "\"Cluster\""), ("spec.clusterIP", "\"10.96.0.5\""), ("spec.clusterIPs", "[\"10.96.0.5\"]"), ("spec.ports[0].nodePort", "30001"));
        var updated = services.Update(Subject.With(StrategyCases.Service, ("spec.type", "\"NodePort\"")), old);
        Assert.Equal("10.96.0.5", updated["spec"]!["clusterIP"].AsText());
        Assert.Equal("10.96.0.5", updated["spec"]!["clusterIPs"]![0].AsText());
        Assert.Equal(30001, updated["spec"]!["ports"]![0]!["nodePort"].AsInteger());
    }

    [Fact]
    public void A_change_of_type_frees_what_the_old_type_needed()
    {
        var services = Subject.Of("services");
        var old = Subject.With(Created("services"), ("spec.type", "\"NodePort\""), ("spec.externalTrafficPolicy", "\"Cluster\""), ("spec.clusterIP", "\"10.96.0.5\""), ("spec.ports[0].nodePort", "30001"));
        var plain = services.Update(Subject.With(old, ("spec.type", "\"ClusterIP\"")), old);
        Assert.Null(plain["spec"]!["ports"]![0]!["nodePort"]);
        Assert.Null(plain["spec"]!["externalTrafficPolicy"]);
        Assert.Empty(services.UpdateErrors(Subject.With(old, ("spec.type", "\"ClusterIP\"")), old));

        var external = services.Update(Subject.With(old, ("spec.type", "\"ExternalName\""), ("spec.externalName", "\"a.b\"")), old);
        Assert.Null(external["spec"]!["clusterIP"]);
    }

    [Fact]
    public void A_headless_service_needs_no_ports() =>
        Assert.Empty(Subject.Of("services").CreateErrors(Subject.With(StrategyCases.Service, ("spec.clusterIP", "\"None\""), ("spec.ports", "-"))));

    [Fact]
    public void Text_of_a_secret_is_merged_into_its_data()
    {
        var secret = Subject.Of("secrets").Create(Subject.With(StrategyCases.Good["secrets"], ("stringData", "{\"a\":\"hello\",\"b\":\"\"}")));
        Assert.Equal("""{"a":"aGVsbG8=","b":""}""", secret["data"]!.ToJsonString());
        Assert.Null(secret["stringData"]);
        Assert.Equal("Opaque", secret["type"].AsText());
    }

    [Fact]
    public void A_secret_never_shows_in_an_error()
    {
        var errors = Subject.Of("secrets").CreateErrors(Subject.With(StrategyCases.Good["secrets"], ("type", "\"kubernetes.io/dockerconfigjson\""), ("stringData", "{\".dockerconfigjson\":\"hunter2\",\"bad key\":\"hunter2\"}")));
        Assert.Equal(2, errors.Count);
        Assert.All(errors, error => Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal));
        Assert.All(errors, error => Assert.DoesNotContain(Convert.ToBase64String("hunter2"u8), error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("configmaps")]
    [InlineData("secrets")]
    public void What_is_immutable_stays(string kind)
    {
        var subject = Subject.Of(kind);
        var old = subject.Create(Subject.With(StrategyCases.Good[kind], ("immutable", "true")));
        Assert.Empty(subject.UpdateErrors(Subject.With(old, ("metadata.labels", "{\"a\":\"b\"}")), old));
        Assert.StartsWith("data: Forbidden: field is immutable when `immutable` is set", subject.UpdateErrors(Subject.With(old, ("data.x", "\"AAE=\"")), old)[0], StringComparison.Ordinal);
        Assert.StartsWith("immutable: Forbidden", subject.UpdateErrors(Subject.With(old, ("immutable", "-")), old)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_config_map_of_more_than_a_mebibyte_is_refused()
    {
        var big = Subject.With(StrategyCases.Good["configmaps"], ("data.big", $"\"{new string('x', 1024 * 1024)}\""));
        Assert.Contains("data: Too long: may not be more than 1048576 bytes", Assert.Single(Subject.Of("configmaps").CreateErrors(big)), StringComparison.Ordinal);
    }

    [Fact]
    public void Annotations_of_more_than_256_kibibytes_are_refused()
    {
        var big = Subject.With(StrategyCases.Good["configmaps"], ("metadata.annotations", $"{{\"a\":\"{new string('x', 256 * 1024)}\"}}"));
        Assert.StartsWith("metadata.annotations: Too long", Assert.Single(Subject.Of("configmaps").CreateErrors(big)), StringComparison.Ordinal);
    }

    [Fact]
    public void No_finalizer_is_added_to_an_object_that_is_being_deleted()
    {
        var old = Subject.With(Created("configmaps"), ("metadata.deletionTimestamp", "\"2026-01-02T03:04:05Z\""), ("metadata.finalizers", "[\"a.b/c\"]"));
        var maps = Subject.Of("configmaps");
        Assert.Empty(maps.UpdateErrors(Subject.With(old, ("metadata.finalizers", "[]")), old));
        Assert.StartsWith("metadata.finalizers: Forbidden", Assert.Single(maps.UpdateErrors(Subject.With(old, ("metadata.finalizers", "[\"a.b/c\",\"a.b/d\"]")), old)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_namespace_is_active_named_by_a_label_and_held_by_its_finalizer()
    {
        var ns = Created("namespaces");
        Assert.Equal("Active", ns["status"]!["phase"].AsText());
        Assert.Equal("team", ns["metadata"]!["labels"]!["kubernetes.io/metadata.name"].AsText());
        Assert.Equal("""["kubernetes"]""", ns["spec"]!["finalizers"]!.ToJsonString());

        var namespaces = Subject.Of("namespaces");
        Assert.Equal("""["kubernetes"]""", namespaces.Update(Subject.With(ns, ("spec", "-")), ns)["spec"]!["finalizers"]!.ToJsonString());
        var finalized = namespaces.Update(Subject.With(ns, ("spec.finalizers", "[]"), ("metadata.labels.x", "\"y\"")), ns, "finalize");
        Assert.Empty(finalized["spec"]!["finalizers"]!.AsArray());
        Assert.Null(finalized["metadata"]!["labels"]!["x"]);
    }

    [Fact]
    public void A_node_registers_with_its_status()
    {
        var node = Created("nodes");
        Assert.Equal("""{"capacity":{"cpu":"4","memory":"1Gi"},"allocatable":{"cpu":"4","memory":"1Gi"}}""", node["status"]!.ToJsonString());
        Assert.Equal("""["10.1.0.0/24"]""", node["spec"]!["podCIDRs"]!.ToJsonString());
    }

    [Fact]
    public void Only_the_classes_of_the_system_have_its_names()
    {
        var classes = StrategyCases.Kind("priorityclasses.scheduling.k8s.io");
        Assert.Empty(classes.CreateErrors(Subject.Parse("""{"metadata":{"name":"system-node-critical"},"value":2000001000}""")));
        Assert.NotEmpty(classes.CreateErrors(Subject.Parse("""{"metadata":{"name":"system-node-critical"},"value":1}""")));
    }

    [Fact]
    public void Subjects_get_their_group()
    {
        var binding = Created("rolebindings.rbac.authorization.k8s.io");
        Assert.Equal("rbac.authorization.k8s.io", binding["roleRef"]!["apiGroup"].AsText());
        Assert.Equal("rbac.authorization.k8s.io", binding["subjects"]![0]!["apiGroup"].AsText());
        Assert.Null(binding["subjects"]![1]!["apiGroup"]);
    }

    [Fact]
    public void A_custom_kind_gets_its_names_and_remembers_stored_versions()
    {
        var crds = StrategyCases.Kind("customresourcedefinitions.apiextensions.k8s.io");
        var crd = crds.Create(StrategyCases.Crd);
        Assert.Equal(("widget", "WidgetList"), (crd["spec"]!["names"]!["singular"].AsText(), crd["spec"]!["names"]!["listKind"].AsText()));
        Assert.Equal("None", crd["spec"]!["conversion"]!["strategy"].AsText());
        Assert.Equal("""["v1"]""", crd["status"]!["storedVersions"]!.ToJsonString());

        var v2 = crd["spec"]!["versions"]![0]!.DeepClone().AsObject();
        v2["name"] = "v2";
        var written = Subject.With(crd, ("spec.versions[1]", v2.ToJsonString()), ("spec.versions[0].storage", "false"));
        var updated = crds.Update(written, crd);
        Assert.Equal("""["v1","v2"]""", updated["status"]!["storedVersions"]!.ToJsonString());
        Assert.Empty(crds.UpdateErrors(written, crd));
        Assert.StartsWith("status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions", crds.UpdateErrors(Subject.With(updated, ("spec.versions", $"[{v2.ToJsonString()}]")), updated)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_protected_group_needs_approval()
    {
        var crds = StrategyCases.Kind("customresourcedefinitions.apiextensions.k8s.io");
        var crd = Subject.With(StrategyCases.Crd, ("metadata.name", "\"widgets.x.k8s.io\""), ("spec.group", "\"x.k8s.io\""));
        Assert.StartsWith("metadata.annotations[api-approved.kubernetes.io]: Required value", Assert.Single(crds.CreateErrors(crd)), StringComparison.Ordinal);
        Assert.Empty(crds.CreateErrors(Subject.With(crd, ("metadata.annotations.[api-approved.kubernetes.io]", "\"https://example.com\""))));
    }

    [Fact]
    public void A_schema_with_numbers_or_texts_is_structural() =>
        Assert.Empty(StrategyCases.Kind("customresourcedefinitions.apiextensions.k8s.io").CreateErrors(Subject.With(StrategyCases.Crd,
            ("spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.port", """{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}"""),
            ("spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.free", """{"x-kubernetes-preserve-unknown-fields":true}"""),
            ("spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.map", """{"type":"object","additionalProperties":{"type":"string"},"maxProperties":3}"""))));

    [Fact]
    public void A_schema_of_hundreds_of_levels_is_refused_in_time()
    {
        var deep = """{"type":"object"}""";
        for (var i = 0; i < 100; i++)
            deep = """{"type":"object","properties":{"a":""" + deep + "}}";
        var crd = StrategyCases.Crd;
        var schema = JsonNode.Parse(deep, documentOptions: new() { MaxDepth = 1000 })!;
        crd["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["spec"] = schema } };
        var strategy = StrategyCases.Kind("customresourcedefinitions.apiextensions.k8s.io").Resource.Strategy;
        var errors = strategy.Validate(crd, null, new(new("t", []), "", "", default)).Select(error => error.ToString()).ToList();
        Assert.Contains(errors, error => error.Contains("nested deeper than", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_stored_kind_has_a_path_of_its_own()
    {
        var resources = Subject.Resources.Where(resource => resource.StoredAs is null && resource.Verbs.Count > 0).ToList();
        Assert.Equal(resources.Count, resources.Select(resource => resource.StoragePrefix).Distinct().Count());
        Assert.All(resources, resource => Assert.Equal(resource.Verbs.Contains("get") && !resource.IsLive, resource.Strategy is not Weft.ApiServer.Strategies.VirtualStrategy));
    }
}
