using Weft.Control.Mesh.Inputs;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Tests.Mesh;

public sealed class MeshConfigReaderTests
{
    private static readonly MeshSettings Usual = new() { ClusterDomain = "example" };

    [Fact]
    public void What_is_said_holds_and_the_rest_is_as_usual()
    {
        var (settings, problems) = Read("""
            outboundTrafficPolicy: {mode: REGISTRY_ONLY}
            localityLbSetting: {enabled: false}
            extensionProviders:
            - name: by-http
              envoyExtAuthzHttp: {service: tools/authz.tools.svc.example, port: "8000", pathPrefix: /check, timeout: 500ms, failOpen: true, statusOnError: "401", includeRequestHeadersInCheck: [x-token], headersToUpstreamOnAllow: [x-user], headersToDownstreamOnDeny: [x-why]}
            - name: by-grpc
              envoyExtAuthzGrpc: {service: authz.tools.svc.example, port: 9000}
            """);
        Assert.Empty(problems);
        Assert.Equal(
            Usual with
            {
                AllowAny = false, LocalityFailover = false,
                Authorizers =
                [
                    new AuthorizerSettings
                    {
                        Name = "by-http", Service = "authz.tools.svc.example", Port = 8000, PathPrefix = "/check", Timeout = TimeSpan.FromMilliseconds(500), FailOpen = true, ErrorStatus = 401,
                        RequestHeaders = ["x-token"], UpstreamHeaders = ["x-user"], ClientHeaders = ["x-why"],
                    },
                    new AuthorizerSettings { Name = "by-grpc", Service = "authz.tools.svc.example", Port = 9000, Protocol = AuthorizerProtocol.Grpc, RequestHeaders = ["*"] },
                ],
            },
            settings);
    }

    [Fact]
    public void What_is_wrong_is_told_and_costs_its_own()
    {
        var (settings, problems) = Read("""
            ingressClass: other
            outboundTrafficPolicy: {mode: NOTHING}
            extensionProviders:
            - envoyExtAuthzHttp: {service: a, port: 1}
            - {name: a, envoyExtAuthzHttp: {service: a}}
            - {name: b, envoyExtAuthzHttp: {service: b.example, port: 1, timeout: soon, statusOnError: 200, includeRequestBodyInCheck: {maxRequestBytes: 5}}}
            - {name: b, envoyExtAuthzGrpc: {service: b.example, port: 1}}
            - {name: c, zipkin: {service: c, port: 1}}
            - 5
            """);
        Assert.NotNull(settings);
        Assert.False(settings.AllowAny);
        Assert.Equal([new AuthorizerSettings { Name = "b", Service = "b.example", Port = 1 }], settings.Authorizers);
        Assert.Equal(
            [
                "ingressClass has no effect",
                "outboundTrafficPolicy.mode: 'NOTHING' is counted as REGISTRY_ONLY; write ALLOW_ANY or REGISTRY_ONLY",
                "extensionProviders[0].name is missing, or another provider's",
                "extensionProviders[1].envoyExtAuthzHttp needs service and port",
                "extensionProviders[2].envoyExtAuthzHttp.timeout: 'soon' is no duration above zero; write it as 5s or 100ms",
                "extensionProviders[2].envoyExtAuthzHttp.statusOnError: '200' is no status of an error; 400 to 599",
                "extensionProviders[2].envoyExtAuthzHttp.includeRequestBodyInCheck has no effect: the authorizer sees the head of a request alone",
                "extensionProviders[3].name is missing, or another provider's",
                "extensionProviders[4] has no effect: of providers envoyExtAuthzHttp, envoyExtAuthzGrpc, opentelemetry, prometheus and envoyFileAccessLog are known",
                "extensionProviders[5].name is missing, or another provider's",
            ],
            problems);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1, 2]")]
    [InlineData("a: &a [*a]")]
    [InlineData("just words")]
    public void What_cannot_be_read_changes_nothing(string yaml)
    {
        var (settings, problems) = Read(yaml);
        Assert.Null(settings);
        Assert.Contains("what held before stays", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_as_usual() => Assert.Equal(Usual, Read("").Settings);

    private static (MeshSettings? Settings, List<string> Problems) Read(string yaml)
    {
        var problems = new List<string>();
        return (MeshConfigReader.Read(Usual, yaml, problems), problems);
    }
}
