using Weft.Node.Pods;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Pods;

public sealed class ServiceEnvironmentTests
{
    [Fact]
    public void Services_are_told_in_both_forms_of_old()
    {
        var variables = ServiceEnvironment.Of(
        [
            ServiceWorld.Service("""{"clusterIP":"10.96.0.7","ports":[{"name":"web-ui","port":80},{"name":"dns","port":53,"protocol":"UDP"}]}""", "my-app"),
            ServiceWorld.Service("""{"clusterIP":"None","ports":[{"port":80}]}""", "headless"),
            ServiceWorld.Service("""{"type":"ExternalName","externalName":"example.com"}""", "outside"),
        ]);

        Assert.Equal("""
            MY_APP_PORT=tcp://10.96.0.7:80
            MY_APP_PORT_53_UDP=udp://10.96.0.7:53
            MY_APP_PORT_53_UDP_ADDR=10.96.0.7
            MY_APP_PORT_53_UDP_PORT=53
            MY_APP_PORT_53_UDP_PROTO=udp
            MY_APP_PORT_80_TCP=tcp://10.96.0.7:80
            MY_APP_PORT_80_TCP_ADDR=10.96.0.7
            MY_APP_PORT_80_TCP_PORT=80
            MY_APP_PORT_80_TCP_PROTO=tcp
            MY_APP_SERVICE_HOST=10.96.0.7
            MY_APP_SERVICE_PORT=80
            MY_APP_SERVICE_PORT_DNS=53
            MY_APP_SERVICE_PORT_WEB_UI=80
            """.ReplaceLineEndings("\n"), string.Join('\n', variables.Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void The_api_is_told_even_to_a_pod_that_wants_no_services()
    {
        var environment = new PodEnvironment("10.96.0.1", _ => [ServiceWorld.Service("""{"clusterIP":"10.96.0.7","ports":[{"port":80}]}""")], 0);

        Assert.Contains("WEB_SERVICE_HOST", environment.Variables(World.Pod("""{"containers":[]}""")).Keys);
        var few = environment.Variables(World.Pod("""{"enableServiceLinks":false,"containers":[]}"""));
        Assert.DoesNotContain("WEB_SERVICE_HOST", few.Keys);
        Assert.Equal(("10.96.0.1", "443"), (few["KUBERNETES_SERVICE_HOST"], few["KUBERNETES_SERVICE_PORT"]));
    }
}
