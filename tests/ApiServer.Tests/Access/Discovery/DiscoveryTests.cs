using System.Text.Json.Nodes;
using Weft.Api.Schemas;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;

namespace Weft.ApiServer.Tests.Access.Discovery;

public sealed class DiscoveryTests
{
    private static readonly DiscoveryDocuments Documents = new(new ResourceSnapshot(1, BuiltInResources.All(new SchemaReader())));

    private static JsonNode Read(string path, string? aggregated = null) => JsonNode.Parse(Documents.Find(path, aggregated)!.Body.Span)!;

    [Fact]
    public void The_roots_name_groups_in_kubernetes_order()
    {
        Assert.Equal("""{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}""", Read("/api").ToJsonString());
        var groups = ((JsonArray)Read("/apis")["groups"]!).Select(g => g!["name"]!.ToString()).ToList();
        Assert.Equal("apps", groups[0]);
        Assert.Equal("events.k8s.io", groups[1]);
        Assert.Contains("rbac.authorization.k8s.io", groups);
        Assert.DoesNotContain("", groups);
    }

    [Fact]
    public void A_group_names_its_versions() => Assert.Equal(
        """{"kind":"APIGroup","apiVersion":"v1","name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}""",
        Read("/apis/apps").ToJsonString());

    [Fact]
    public void A_version_lists_its_resources_and_subresources() => Assert.Equal(
        """
        {"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[
        {"name":"controllerrevisions","singularName":"controllerrevision","namespaced":true,"kind":"ControllerRevision","verbs":["create","delete","deletecollection","get","list","patch","update","watch"]},
        {"name":"daemonsets","singularName":"daemonset","namespaced":true,"kind":"DaemonSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["ds"],"categories":["all"]},
        {"name":"daemonsets/status","singularName":"","namespaced":true,"kind":"DaemonSet","verbs":["get","patch","update"]},
        {"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["deploy"],"categories":["all"]},
        {"name":"deployments/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},
        {"name":"deployments/status","singularName":"","namespaced":true,"kind":"Deployment","verbs":["get","patch","update"]},
        {"name":"replicasets","singularName":"replicaset","namespaced":true,"kind":"ReplicaSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["rs"],"categories":["all"]},
        {"name":"replicasets/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},
        {"name":"replicasets/status","singularName":"","namespaced":true,"kind":"ReplicaSet","verbs":["get","patch","update"]},
        {"name":"statefulsets","singularName":"statefulset","namespaced":true,"kind":"StatefulSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["sts"],"categories":["all"]},
        {"name":"statefulsets/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},
        {"name":"statefulsets/status","singularName":"","namespaced":true,"kind":"StatefulSet","verbs":["get","patch","update"]}]}
        """.ReplaceLineEndings(""),
        Read("/apis/apps/v1").ToJsonString());

    [Theory]
    [InlineData("v2")]
    [InlineData("v2beta1")]
    public void The_aggregated_form_has_everything_in_one_document(string version)
    {
        var apis = Read("/apis", version);
        var core = Read("/api", version);

        Assert.Equal("APIGroupDiscoveryList", apis["kind"]!.ToString());
        Assert.Equal("apidiscovery.k8s.io/" + version, apis["apiVersion"]!.ToString());
        var apps = apis["items"]![0]!;
        Assert.Equal("apps", apps["metadata"]!["name"]!.ToString());
        Assert.Equal(
            """{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["deploy"],"categories":["all"],"subresources":[{"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["get","patch","update"]},{"subresource":"status","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"verbs":["get","patch","update"]}]}""",
            apps["versions"]![0]!["resources"]!.AsArray().Single(r => r!["resource"]!.ToString() == "deployments")!.ToJsonString());
        Assert.Single((JsonArray)core["items"]!);
        Assert.Contains((JsonArray)core["items"]![0]!["versions"]![0]!["resources"]!, r => r!["resource"]!.ToString() == "pods");
    }

    [Theory]
    [InlineData("/apis/none")]
    [InlineData("/apis/apps/v2")]
    [InlineData("/api/v2")]
    public void What_is_not_served_is_not_found(string path) => Assert.Null(Documents.Find(path, null));

    [Theory]
    [InlineData("", null)]
    [InlineData("application/json", null)]
    [InlineData("application/json, */*", null)]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", "v2")]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", "v2beta1")]
    [InlineData("application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io; q=0.9", "v2")]
    [InlineData("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", null)]
    [InlineData("application/vnd.kubernetes.protobuf,application/json", null)]
    public void The_accept_header_chooses_the_form(string accept, string? expected) => Assert.Equal(expected, DiscoveryHandler.AggregatedVersion(accept));

    [Fact]
    public void Versions_are_ordered_by_stability_and_then_by_number() =>
        Assert.Equal(
            ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"],
            new[] { "foo10", "v11alpha2", "v1", "foo1", "v12alpha1", "v3beta1", "v2", "v10beta3", "v11beta2", "v10" }.Order(VersionOrder.Instance));

    [Fact]
    public async Task A_client_that_has_the_document_is_told_so()
    {
        await using var server = await SecureServer.StartAsync();
        using var user = server.As("ann");
        using var first = await user.Http.GetAsync("/apis/apps/v1");
        using var message = new HttpRequestMessage(HttpMethod.Get, "/apis/apps/v1");
        message.Headers.TryAddWithoutValidation("If-None-Match", first.Headers.ETag!.ToString());
        using var second = await user.Http.SendAsync(message);

        Assert.Equal(304, (int)second.StatusCode);
        Assert.Equal(404, (await user.GetAsync("/apis/none")).Code);
    }
}
