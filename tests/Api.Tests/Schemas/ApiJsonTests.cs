using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api.Apps;
using Weft.Api.Coordination;
using Weft.Api.Core;
using Weft.Api.Json;

namespace Weft.Api.Tests.Schemas;

public sealed class ApiJsonTests
{
    private static readonly DateTimeOffset Time = new(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2));

    [Fact]
    public void A_tree_gets_its_version_and_kind_from_the_type()
    {
        var tree = ApiJson.ToTree(new Deployment { Metadata = new() { Name = "web" }, Spec = new() { Replicas = 2 } });
        Assert.Equal("apps/v1", tree["apiVersion"]!.GetValue<string>());
        Assert.Equal("Deployment", tree["kind"]!.GetValue<string>());
        Assert.Equal(["apiVersion", "kind", "metadata", "spec"], tree.Select(member => member.Key));
    }

    [Fact]
    public void Absent_and_empty_members_are_left_out()
    {
        var tree = ApiJson.ToTree(new ConfigMap { Metadata = new() { Name = "a" } });
        Assert.Equal("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}""", tree.ToJsonString());
    }

    [Fact]
    public void A_required_list_is_written_even_when_empty()
    {
        var tree = ApiJson.ToTree(new Pod { Spec = new() });
        Assert.Equal("""{"containers":[]}""", tree["spec"]!.ToJsonString());
    }

    [Fact]
    public void An_empty_object_that_was_set_is_kept() =>
        Assert.Equal("""{"name":"v","emptyDir":{}}""", ApiJson.ToTree(new Volume { Name = "v", EmptyDir = new() }).ToJsonString());

    [Fact]
    public void Times_are_written_in_utc_seconds_and_micro_times_with_six_digits()
    {
        var tree = ApiJson.ToTree(new Lease { Metadata = new() { CreationTimestamp = Time }, Spec = new() { RenewTime = Time } });
        Assert.Equal("2026-01-02T03:04:05Z", tree["metadata"]!["creationTimestamp"]!.GetValue<string>());
        Assert.Equal("2026-01-02T03:04:05.678000Z", tree["spec"]!["renewTime"]!.GetValue<string>());
        Assert.Equal(Time.ToUniversalTime(), ApiJson.FromTree<Lease>(tree).Spec.RenewTime!.Value.Value);
    }

    [Fact]
    public void Members_of_a_newer_version_are_ignored_on_reading() =>
        Assert.Equal("a", ApiJson.Deserialize<Pod>("""{"metadata":{"name":"a","future":1},"spec":{"future":[{}]}}"""u8).Metadata.Name);

    [Fact]
    public void Nulls_read_as_absent()
    {
        var pod = ApiJson.Deserialize<Pod>("""{"metadata":{"creationTimestamp":null,"name":"a"},"spec":{"nodeName":null}}"""u8);
        Assert.Null(pod.Metadata.CreationTimestamp);
        Assert.Null(pod.Spec.NodeName);
    }

    [Fact]
    public void A_null_collection_reads_as_empty()
    {
        var pod = ApiJson.Deserialize<Pod>("""{"metadata":{"name":"a","labels":null},"spec":{"containers":null,"volumes":null},"status":null}"""u8);
        Assert.Empty(pod.Metadata.Labels);
        Assert.Empty(pod.Spec.Containers);
        Assert.Null(pod.Status.Phase);
    }

    [Theory]
    [InlineData("""{"name":"c","resources":{"limits":{"cpu":1}}}""", "1")]
    [InlineData("""{"name":"c","resources":{"limits":{"cpu":0.5}}}""", "500m")]
    [InlineData("""{"name":"c","resources":{"limits":{"cpu":"100m"}}}""", "100m")]
    public void A_quantity_may_be_a_number(string json, string canonical) =>
        Assert.Equal(canonical, ApiJson.FromTree<Container>(JsonNode.Parse(json)!).Resources!.Limits["cpu"].ToString());

    [Fact]
    public void A_bad_quantity_is_an_error_with_its_text()
    {
        var error = Assert.Throws<JsonException>(() => ApiJson.Deserialize<Container>("""{"resources":{"limits":{"cpu":"lots"}}}"""u8));
        Assert.Contains("lots", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void What_is_written_reads_back_the_same(string json)
    {
        var tree = JsonNode.Parse(json)!.AsObject();
        var type = BuiltInKinds.Types.Single(type =>
        {
            var info = KindInfo.Of(type);
            return info.Kind.Kind == tree["kind"]!.GetValue<string>() && info.Kind.ApiVersion == tree["apiVersion"]!.GetValue<string>();
        });
        var typed = tree.Deserialize(type, ApiJson.Options)!;
        Assert.True(JsonNode.DeepEquals(tree, ApiJson.ToTree(typed)), ApiJson.ToTree(typed).ToJsonString());
    }

    public static TheoryData<string> Objects =>
    [
        """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","namespace":"b","labels":{"x":"y"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],"livenessProbe":{"httpGet":{"port":"http","path":"/"}},"resources":{"limits":{"cpu":"100m","memory":"64Mi"}}}],"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}]}}},"volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"token","expirationSeconds":3600}}],"defaultMode":420}}]},"status":{"phase":"Running","podIPs":[{"ip":"10.0.0.1"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":1,"image":"i","imageID":"","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}]}}""",
        """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"k":"aGVsbG8="},"type":"Opaque"}""",
        """{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[]}},"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":1}}}}""",
        """{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]},"status":{"capacity":{"cpu":"4","memory":"16Gi"},"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}""",
        """{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"a.b.c"},"spec":{"group":"b.c","names":{"plural":"a","kind":"A"},"scope":"Namespaced","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"additionalProperties":{"type":"string"},"default":{"a":[1,null]}}}}}}]}}""",
        """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}""",
        """{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"e"},"addressType":"IPv4","endpoints":[]}""",
    ];
}
