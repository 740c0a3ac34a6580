using Weft.Proxy.Config.Inspection;

namespace Weft.Proxy.Config.Tests.Inspection;

public sealed class RequestFilterTests
{
    private static readonly ObservedRequest Request = new()
    {
        Side = "out", Method = "GET", Authority = "orders.shop", Path = "/api/x?", Protocol = "HTTP/1.1", Status = 503, Flags = ["UH"], RequestId = "id-1", TraceId = "t-1",
        Source = new() { Namespace = "web", Pod = "front-1-a", Workload = "front" }, Destination = new() { Namespace = "shop", Host = "orders.shop.svc.cluster.local", Pod = "orders-2-b", Workload = "orders" },
    };

    [Theory]
    [InlineData("deploy/front", "web", true)]
    [InlineData("deploy/front", "shop", false)]
    [InlineData("deploy/front.web", "shop", true)]
    [InlineData("deploy/front", null, true)]
    [InlineData("deploy/orders", "shop", true)]
    [InlineData("pod/orders-2-b", "shop", true)]
    [InlineData("svc/orders", "shop", true)]
    [InlineData("svc/orders", "web", false)]
    [InlineData("svc/front", "web", false)]
    [InlineData("ns/web", null, true)]
    [InlineData("ns/other", null, false)]
    [InlineData("orders.shop.svc.cluster.local", "elsewhere", true)]
    public void A_target_is_either_side(string target, string? home, bool takes) => Assert.Equal(takes, new RequestFilter { Target = target, Home = home }.Takes(Request));

    [Fact]
    public void From_and_to_are_one_side_each()
    {
        Assert.True(new RequestFilter { From = "deploy/front.web", To = "svc/orders.shop" }.Takes(Request));
        Assert.False(new RequestFilter { From = "deploy/orders.shop" }.Takes(Request));
        Assert.False(new RequestFilter { To = "deploy/front.web" }.Takes(Request));
    }

    [Fact]
    public void Who_may_look_into_one_namespace_sees_what_concerns_it()
    {
        Assert.True(new RequestFilter { Namespace = "web" }.Takes(Request));
        Assert.True(new RequestFilter { Namespace = "shop" }.Takes(Request));
        Assert.False(new RequestFilter { Namespace = "bank" }.Takes(Request));
    }

    [Theory]
    [InlineData("503", true)]
    [InlineData("5xx", true)]
    [InlineData("500-599", true)]
    [InlineData("4xx", false)]
    [InlineData("200", false)]
    public void A_status_is_a_number_a_kind_or_a_range(string status, bool takes) => Assert.Equal(takes, new RequestFilter { Status = status }.Takes(Request));

    [Fact]
    public void Method_path_and_id_are_as_they_were_sent()
    {
        Assert.True(new RequestFilter { Method = "get", Path = "/api/x", Id = "id-1" }.Takes(Request));
        Assert.True(new RequestFilter { Path = "/api*", Id = "t-1" }.Takes(Request));
        Assert.False(new RequestFilter { Path = "/api" }.Takes(Request));
        Assert.False(new RequestFilter { Id = "id-2" }.Takes(Request));
    }

    [Fact]
    public void Failed_is_what_was_refused_or_went_wrong()
    {
        var failed = new RequestFilter { Failed = true };
        Assert.True(failed.Takes(Request));
        Assert.False(failed.Takes(Request with { Status = 200, Flags = [] }));
        Assert.False(failed.Takes(Request with { Status = 200, Flags = ["DI"] }));
        Assert.False(failed.Takes(Request with { Status = 404, Flags = [] }));
        Assert.True(failed.Takes(Request with { Status = 403, Flags = [], Detail = "policy_none_allows" }));
        Assert.True(failed.Takes(Request with { Status = 200, Flags = [], GrpcStatus = 14 }));
        Assert.False(failed.Takes(Request with { Protocol = "TCP", Status = 0, Flags = [] }));
        Assert.True(failed.Takes(Request with { Protocol = "TCP", Status = 0, Flags = [], Detail = "mutual_tls_required" }));
    }

    [Theory]
    [InlineData("deploy/", null)]
    [InlineData("node/n1", null)]
    [InlineData("a/b/c", null)]
    [InlineData("svc/a", "abc")]
    public void What_is_no_filter_is_told(string target, string? status) => Assert.NotNull(new RequestFilter { Target = target, Status = status }.Problem());
}
