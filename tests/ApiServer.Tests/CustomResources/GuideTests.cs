using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.ApiServer.Tests.Kit;

namespace Weft.ApiServer.Tests.CustomResources;

/// <summary>The manifests of the guide, as a reader would apply them.</summary>
public sealed partial class GuideTests
{
    private static List<string> Manifests(string guide, [CallerFilePath] string here = "") =>
        [.. Yaml().Matches(File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "docs", "guide", guide))).Select(match => match.Groups["text"].Value)];

    [Theory, MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task Custom_resources(string program)
    {
        await using var server = await CustomServer.StartAsync();
        using var kubectl = new Kubectl(program, server.Host.Address);
        var manifests = Manifests("custom-resources.md");
        await kubectl.OutputAsync(manifests[0], "apply", "-f", "-");
        await kubectl.OutputAsync("", "wait", "--for=condition=Established", "--timeout=20s", "crd/lamps.shop.example.com");
        await kubectl.OutputAsync(manifests[1], "apply", "-f", "-");

        Assert.Contains("What the lamp should be.", await kubectl.OutputAsync("", "explain", "lamps.spec"), StringComparison.Ordinal);
        Assert.Equal("lamp.shop.example.com/desk\n", await kubectl.OutputAsync("", "get", "lp", "--field-selector", "spec.colour=red", "-o", "name"));
        Assert.Equal("", await kubectl.OutputAsync("", "get", "lp", "--field-selector", "spec.colour=white", "-o", "name"));
        await kubectl.OutputAsync("", "scale", "lamp/desk", "--replicas=3");
        Assert.Equal("5 3", await kubectl.OutputAsync("", "get", "lamp", "desk", "-o", "jsonpath={.spec.watts} {.spec.replicas}"));

        var (_, _, error) = await kubectl.RunAsync("", "patch", "lamp", "desk", "--type=merge", "-p", """{"spec":{"watts":30}}""");
        Assert.Contains("spec.watts: Invalid value: \"object\": 30 W are more than the 20 W that the lamp takes", error, StringComparison.Ordinal);
        await kubectl.OutputAsync("", "patch", "lamp", "desk", "--type=merge", "-p", """{"spec":{"socket":"E14"}}""");
        (_, _, error) = await kubectl.RunAsync("", "patch", "lamp", "desk", "--type=merge", "-p", """{"spec":{"socket":null}}""");
        Assert.Contains("the socket cannot be changed", error, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kubectl.Programs), MemberType = typeof(Kubectl))]
    public async Task Admission(string program)
    {
        await using var server = await CustomServer.StartAsync();
        using var kubectl = new Kubectl(program, server.Host.Address);
        await kubectl.OutputAsync(Manifests("admission.md")[0], "apply", "-f", "-");
        static string Deployment(int replicas) => $$"""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":{{replicas}},"selector":{"matchLabels":{"a":"b"} },
             "template":{"metadata":{"labels":{"a":"b"} },"spec":{"containers":[{"name":"c","image":"i:1"}]} } } }
            """;
        var (code, _, error) = await kubectl.RunAsync(Deployment(6), "apply", "-f", "-");
        Assert.NotEqual(0, code);
        Assert.Contains("6 replicas are too many for default", error, StringComparison.Ordinal);
        await kubectl.OutputAsync(Deployment(5), "apply", "-f", "-");
    }

    [GeneratedRegex("^```yaml\n(?<text>.*?)^```", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Yaml();
}
