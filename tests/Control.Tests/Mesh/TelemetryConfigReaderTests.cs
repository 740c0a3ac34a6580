using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Telemetries;

namespace Weft.Control.Tests.Mesh;

public sealed class TelemetryConfigReaderTests
{
    [Fact]
    public void Providers_and_defaults_are_read_and_the_rest_is_passed_over()
    {
        var (settings, problems) = TelemetryConfigReader.Read("""
            accessLogFile: /dev/stdout
            enableTracing: true
            trustDomain: cluster.local
            defaultConfig: {tracing: {sampling: 12.5}, concurrency: 2}
            defaultProviders: {tracing: [otel], metrics: [prometheus], accessLogging: [envoy]}
            extensionProviders:
            - name: otel
              opentelemetry: {service: tools/otel.tools.svc.cluster.local, port: 4317}
            """);
        Assert.Empty(problems);
        Assert.Equal(("otel", 12.5, true), (settings!.Tracing, settings.Sampling, settings.Logged));
        Assert.Equal(("otel.tools.svc.cluster.local", 4317, null), (settings.Find("otel")!.Collector!.Host, settings.Find("otel")!.Collector!.Port, settings.Find("otel")!.Collector!.Path));
        Assert.Equal(ProviderKind.Metrics, settings.Find("prometheus")!.Kind);
        Assert.Null(settings.Find("none"));
    }

    [Theory]
    [InlineData("", true, null)]
    [InlineData("accessLogFile: \"\"", false, null)]
    [InlineData("enableTracing: false\ndefaultProviders: {tracing: [otel]}\nextensionProviders: [{name: otel, opentelemetry: {service: a, port: 1}}]", true, null)]
    [InlineData("defaultProviders: {tracing: [otel]}\nextensionProviders: [{name: otel, opentelemetry: {service: a, port: 1}}]", true, "otel")]
    public void What_is_not_said_is_as_by_default(string text, bool logged, string? tracing)
    {
        var (settings, problems) = TelemetryConfigReader.Read(text);
        Assert.Empty(problems);
        Assert.Equal((logged, tracing), (settings!.Logged, settings.Tracing));
    }

    [Theory]
    [InlineData("a: [", "is no YAML")]
    [InlineData("a: &a [*a]", "is no YAML")]
    [InlineData("- a", "is no YAML map")]
    [InlineData("extensionProviders: {}", "extensionProviders: is no list")]
    [InlineData("extensionProviders: [{opentelemetry: {}}]", "extensionProviders[0].name: is missing")]
    [InlineData("extensionProviders: [{name: a, prometheus: {}}, {name: a, prometheus: {}}]", "extensionProviders[1].name: 'a' is there twice")]
    [InlineData("extensionProviders: [{name: a, opentelemetry: {port: 1}}]", "extensionProviders[0].opentelemetry.service: is missing")]
    [InlineData("extensionProviders: [{name: a, opentelemetry: {service: a, port: 70000}}]", "extensionProviders[0].opentelemetry.port: is no port")]
    [InlineData("extensionProviders: [{name: a, opentelemetry: {service: a, port: 1, http: {path: x}}}]", "extensionProviders[0].opentelemetry.http.path: begins with /")]
    [InlineData("defaultProviders: {tracing: [none]}", "defaultProviders.tracing[0]: 'none' is no provider of spans")]
    [InlineData("defaultProviders: {tracing: [z]}\nextensionProviders: [{name: z, zipkin: {}}]", "defaultProviders.tracing[0]: 'z' is of the kind zipkin")]
    [InlineData("defaultProviders: {metrics: [envoy]}", "defaultProviders.metrics: 'envoy' is no provider of metrics")]
    [InlineData("defaultProviders: {tracing: otel}", "defaultProviders.tracing: is no list")]
    [InlineData("defaultConfig: {tracing: {sampling: 101}}", "defaultConfig.tracing.sampling: '101' is no share")]
    [InlineData("defaultConfig: {tracing: {sampling: much}}", "defaultConfig.tracing.sampling: ")]
    public void What_is_wrong_is_told_and_nothing_is_taken(string text, string problem)
    {
        var (settings, problems) = TelemetryConfigReader.Read(text);
        Assert.Null(settings);
        Assert.Contains(problems, told => told.StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_not_done_is_told_and_the_rest_is_taken()
    {
        var (settings, problems) = TelemetryConfigReader.Read("""
            enableTracing: true
            extensionProviders:
            - {name: log, envoyFileAccessLog: {path: /var/log/x, logFormat: {text: x}}}
            - {name: otel, opentelemetry: {service: a, port: 1, maxTagLength: 5, http: {path: /v1/traces, timeout: 1s}}}
            """);
        Assert.NotNull(settings);
        Assert.Equal(5, problems.Count);
    }
}
