using System.Net;
using System.Text;
using Weft.Api;
using Weft.Api.Autoscaling;
using Weft.Client;
using Weft.Control.Workloads;
using Weft.Testing;

namespace Weft.Control.Tests.Workloads.Autoscaling;

public sealed class CustomMetricsTests
{
    private static readonly MetricSpec OfPods = new() { Type = "Pods", Pods = new PodsMetricSource { Metric = new MetricIdentifier { Name = "requests_per_second" } } };

    private static MetricSpec OfObject(string kind, string? apiVersion = "v1") => new()
    {
        Type = "Object",
        Object = new ObjectMetricSource { Metric = new MetricIdentifier { Name = "requests_per_second" }, DescribedObject = new CrossVersionObjectReference { ApiVersion = apiVersion, Kind = kind, Name = "web" } },
    };

    private static string List(params (string Name, string Value)[] values) =>
        $$"""{"kind":"MetricValueList","items":[{{string.Join(',', values.Select(value => $$"""{"describedObject":{"name":"{{value.Name}}"},"timestamp":"2026-01-02T03:04:05Z","windowSeconds":10,"value":"{{value.Value}}"}"""))}}]}""";

    private static async Task<(MetricReading Reading, string Asked)> ReadAsync(MetricSpec metric, string answer, HttpStatusCode status = HttpStatusCode.OK)
    {
        var asked = "";
        using var client = new KubeClient(new Answering(request =>
        {
            asked = request.RequestUri!.PathAndQuery;
            return new HttpResponseMessage(status) { Content = new StringContent(answer, Encoding.UTF8, "application/json") };
        }), new ManualTime());
        return (await new CustomMetrics(client).ReadAsync("shop", metric, "app=web", CancellationToken.None), asked);
    }

    [Fact]
    public async Task Pods_are_asked_for_together_by_their_selector()
    {
        var (reading, asked) = await ReadAsync(OfPods, List(("a", "2"), ("b", "250m")));
        Assert.Equal("/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/requests_per_second?labelSelector=app%3Dweb", asked);
        var pods = Assert.IsType<MetricReading.OfPods>(reading).ByPod;
        Assert.Equal(new PodSample(2000, ManualTime.Start, TimeSpan.FromSeconds(10)), pods["a"]);
        Assert.Equal(250, pods["b"].Milli);
    }

    [Fact]
    public async Task An_object_has_one_figure()
    {
        var (reading, asked) = await ReadAsync(OfObject("Service"), List(("web", "40")));
        Assert.StartsWith("/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/services/web/requests_per_second", asked, StringComparison.Ordinal);
        Assert.Equal(40_000, Assert.IsType<MetricReading.OfAll>(reading).Milli);
    }

    [Fact]
    public async Task A_selector_of_series_is_passed_on()
    {
        var metric = OfPods with { Pods = OfPods.Pods! with { Metric = new MetricIdentifier { Name = "x", Selector = new LabelSelector { MatchLabels = new Dictionary<string, string> { ["code"] = "500" } } } } };
        Assert.EndsWith("&metricLabelSelector=code%3D500", (await ReadAsync(metric, List(("a", "1")))).Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Why_there_is_no_figure_is_told()
    {
        var (refused, _) = await ReadAsync(OfPods, """{"kind":"Status","status":"Failure","message":"node n1 does not say","reason":"ServiceUnavailable","code":503}""", HttpStatusCode.ServiceUnavailable);
        Assert.Contains("node n1 does not say", Assert.IsType<MetricReading.None>(refused).Why);
        Assert.Equal("no metrics returned from custom metrics API", Assert.IsType<MetricReading.None>((await ReadAsync(OfPods, List())).Reading).Why);
        Assert.Contains("Ingress", Assert.IsType<MetricReading.None>((await ReadAsync(OfObject("Ingress", "networking.k8s.io/v1"), "")).Reading).Why);
        Assert.Contains("external", Assert.IsType<MetricReading.None>((await ReadAsync(new MetricSpec { Type = "External" }, "")).Reading).Why);
    }

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}
