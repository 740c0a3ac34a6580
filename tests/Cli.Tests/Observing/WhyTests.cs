using Weft.Cli.Objects;
using Weft.Cli.Observing;
using Weft.Proxy.Config.Inspection;
using Weft.Testing;

namespace Weft.Cli.Tests.Observing;

public sealed class WhyTests : IDisposable
{
    private const string Shop = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: front, namespace: shop}
        spec: {selector: {matchLabels: {app: front}}, template: {metadata: {labels: {app: front}}, spec: {serviceAccountName: front, containers: [{name: main, image: x}]}}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: orders-v2, namespace: shop}
        spec: {selector: {matchLabels: {app: orders}}, template: {metadata: {labels: {app: orders, version: v2}}, spec: {containers: [{name: main, image: x, ports: [{name: web, containerPort: 8080}]}]}}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: orders, namespace: shop}
        spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: web}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: orders, namespace: shop}
        spec: {host: orders, subsets: [{name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: orders, namespace: shop}
        spec:
          hosts: [orders]
          http:
          - match: [{headers: {x-new: {exact: "yes"}}}]
            route: [{destination: {host: orders, subset: v3}}]
          - route: [{destination: {host: orders, subset: v2}}]
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: default, namespace: shop}
        spec: {mtls: {mode: STRICT}}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: read, namespace: shop}
        spec: {selector: {matchLabels: {app: orders}}, rules: [{to: [{operation: {methods: [GET]}}]}]}
        """;

    private readonly TempDir _folder = new();
    private readonly StringWriter _output = new(), _errors = new();

    public void Dispose() => _folder.Dispose();

    private string Why(string from, string url, string method = "GET", params string[] headers)
    {
        var file = Path.Combine(_folder.Path, "shop.yaml");
        File.WriteAllText(file, Shop);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, new WhyCommand(_output, _errors).Offline(new(from, "shop", method, url, headers, false), [file]));
        return _output.ToString();
    }

    [Fact]
    public void Manifests_are_enough()
    {
        var text = Why("deploy/front", "http://orders/api/x");
        Assert.StartsWith("GET http://orders:80/api/x from pod shop/front-pod\n", text, StringComparison.Ordinal);
        Assert.Contains("orders means orders.shop.svc.cluster.local to a client in namespace shop", text, StringComparison.Ordinal);
        Assert.Contains("VirtualService shop/orders/http[1] takes it", text, StringComparison.Ordinal);
        Assert.Contains("not shop/orders/http[0]: header x-new is not 'yes'", text, StringComparison.Ordinal);
        Assert.Contains("allowed by shop/read rule 0", text, StringComparison.Ordinal);
        Assert.Contains("orders.shop.svc.cluster.local:80/v2: by DestinationRule shop/orders", text, StringComparison.Ordinal);
        Assert.Contains("mutual TLS: by PeerAuthentication shop/default", text, StringComparison.Ordinal);
        Assert.Contains("10.244.0.3:8080  shop/orders-v2-pod", text, StringComparison.Ordinal);
        Assert.EndsWith("=> FORWARDED: it reaches shop/orders-v2-pod\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_and_empty_subsets_are_told()
    {
        Assert.EndsWith("=> REFUSED 403: none of the ALLOW policies takes it (shop/read)\n", Why("deploy/front", "orders", "POST"), StringComparison.Ordinal);
        Assert.EndsWith("=> UNREACHABLE 503: nobody is there to take it: 503 (UH)\n", Why("deploy/front", "orders", "GET", "x-new: yes"), StringComparison.Ordinal);
        Assert.Contains("STRICT", Why("host", "http://orders.shop"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("front", "http://a")]
    [InlineData("node/n1", "http://a")]
    [InlineData("deploy/front", "ftp://a")]
    [InlineData("deploy/front", "tcp://a")]
    [InlineData("deploy/nobody", "http://orders")]
    public void What_is_no_question_is_told(string from, string url) => Assert.Throws<CommandException>(() => Why(from, url));

    [Theory]
    [InlineData("no colon")]
    [InlineData(": empty")]
    [InlineData("a b: c")]
    [InlineData("a: b\r\nc: d")]
    public void What_is_no_header_is_told(string header) => Assert.Throws<CommandException>(() => Why("deploy/front", "http://orders", "GET", header));

    [Fact]
    public void A_path_is_taken_as_it_is_written()
    {
        var question = WhyCommand.Question(new("pod/a", "shop", "get", "https://x.example:8443/a/../b%2e?q=1#end", ["X-A:  b "], false));
        Assert.Equal(("GET", "https", "x.example", 8443, "/a/../b%2e?q=1"), (question.Method, question.Scheme, question.Host, question.Port, question.Path));
        Assert.Equal(new QuestionHeader("X-A", "b"), Assert.Single(question.Headers));
        Assert.Equal("/", WhyCommand.Question(new("outside", "shop", "GET", "shop.example", [], false)).Path);
    }

    [Fact]
    public void A_request_that_was_sent_is_told_from_its_records()
    {
        var text = WhyText.Of([
            new ObservedRequest
            {
                Node = "n1", Side = "out", Method = "GET", Path = "/x", Authority = "orders", Protocol = "HTTP/1.1", Status = 503, Flags = ["UF", "URX"], Milliseconds = 12.34, RequestId = "id-1", Route = "shop/orders/http[0]", Cluster = "orders:80",
                Source = new() { Namespace = "shop", Pod = "front-1", Identity = "spiffe://a" }, Destination = new() { Namespace = "shop", Pod = "orders-1", Host = "orders.shop.svc.cluster.local" }, Security = "mtls",
                Tries = [new("10.0.0.1:80", "connect failed", null, 1), new("10.0.0.2:80", "answered", 503, 2)],
            },
            new ObservedRequest { Node = "n2", Side = "in", Protocol = "HTTP/1.1", Method = "GET", Status = 403, Policy = "shop/read", PolicyRule = 0, Detail = "policy_denied\u001b[31m", Destination = new() { Namespace = "shop", Pod = "orders-1" } },
        ]);
        Assert.Contains("try 1     10.0.0.1:80: connect failed after 1ms", text, StringComparison.Ordinal);
        Assert.Contains("URX       it was tried as often as is allowed", text, StringComparison.Ordinal);
        Assert.Contains("policy    shop/read rule 0 refused it", text, StringComparison.Ordinal);
        Assert.Contains("result    503 UF,URX after 12ms", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
    }

    [Fact]
    public void A_line_of_tap_has_both_sides_the_outcome_and_the_reason()
    {
        var request = new ObservedRequest
        {
            Time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), Side = "out", Method = "GET", Path = "/x", Protocol = "HTTP/2", Status = 200, Milliseconds = 3.21, Route = "shop/orders/http[0]", Security = "mtls",
            Source = new() { Namespace = "shop", Pod = "front-1" }, Destination = new() { Namespace = "shop", Pod = "orders-1", Host = "orders.shop.svc.cluster.local" },
        };
        Assert.EndsWith("out   shop/front-1 -> orders.shop (shop/orders-1)  GET /x  200  3.2ms  mtls  route shop/orders/http[0]", RequestTexts.Line(request), StringComparison.Ordinal);
        Assert.Equal("0 grpc=14 UH", RequestTexts.Status(request with { Status = 0, GrpcStatus = 14, Flags = ["UH"] }));
    }
}
