using Weft.Api.Core;
using Weft.Api.Istio;

namespace Weft.Api.Tests.Istio;

public sealed class MeshMembershipTests
{
    [Theory]
    [InlineData("shop", "", "", true)]
    [InlineData("kube-system", "", "", false)]
    [InlineData("kube-node-lease", "", "", false)]
    [InlineData("kube-public", "", "", false)]
    [InlineData("istio-system", "", "", false)]
    [InlineData("shop", "weft.dev/mesh=disabled", "", false)]
    [InlineData("shop", "sidecar.istio.io/inject=false", "", false)]
    [InlineData("shop", "istio.io/dataplane-mode=none", "", false)]
    [InlineData("shop", "", "weft.dev/mesh=disabled", false)]
    [InlineData("shop", "", "istio.io/dataplane-mode=none", false)]
    [InlineData("shop", "", "istio-injection=disabled", false)]
    [InlineData("shop", "", "istio-injection=enabled", true)]
    [InlineData("kube-system", "", "weft.dev/mesh=enabled", true)]
    [InlineData("istio-system", "", "istio-injection=enabled", true)]
    [InlineData("kube-system", "istio.io/dataplane-mode=ambient", "", true)]
    // What is nearer decides, and Weft's own word before Istio's.
    [InlineData("shop", "weft.dev/mesh=enabled", "weft.dev/mesh=disabled", true)]
    [InlineData("shop", "sidecar.istio.io/inject=false", "weft.dev/mesh=enabled", false)]
    [InlineData("shop", "weft.dev/mesh=enabled,sidecar.istio.io/inject=false", "", true)]
    [InlineData("shop", "", "weft.dev/mesh=disabled,istio-injection=enabled", false)]
    // A word that is none says nothing.
    [InlineData("shop", "weft.dev/mesh=off", "", true)]
    [InlineData("shop", "istio.io/dataplane-mode=waypoint", "", true)]
    public void Labels_decide(string @namespace, string pod, string ofNamespace, bool isMeshed)
    {
        Assert.Equal(isMeshed, MeshMembership.IsMeshed(Pod(@namespace, pod), new() { Metadata = new() { Name = @namespace, Labels = Labels(ofNamespace) } }, isOn: true));
        Assert.False(MeshMembership.IsMeshed(Pod(@namespace, pod), new() { Metadata = new() { Name = @namespace, Labels = Labels(ofNamespace) } }, isOn: false));
    }

    [Fact]
    public void A_pod_of_the_hosts_network_is_never_in_the_mesh() =>
        Assert.False(MeshMembership.IsMeshed(Pod("shop", "weft.dev/mesh=enabled") with { Spec = new() { HostNetwork = true } }, null, isOn: true));

    [Fact]
    public void The_annotation_of_old_manifests_counts_where_no_label_stands() =>
        Assert.False(MeshMembership.IsMeshed(new() { Metadata = new() { Namespace = "shop", Annotations = Labels("sidecar.istio.io/inject=false") } }, null, isOn: true));

    private static Pod Pod(string @namespace, string labels) => new() { Metadata = new() { Namespace = @namespace, Name = "web", Labels = Labels(labels) } };

    private static Dictionary<string, string> Labels(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
}
