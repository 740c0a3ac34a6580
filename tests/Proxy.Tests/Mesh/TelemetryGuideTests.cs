using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Testing;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>The guide names each metric, label and field that a node's proxy tells, and no other.</summary>
public sealed partial class TelemetryGuideTests
{
    private static string Guide([CallerFilePath] string here = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "docs", "guide", "telemetry.md"));

    private static SortedSet<string> Table(string head) => [.. Rows().Matches(Guide().Split(head)[1].Split("\n\n")[0]).Select(row => row.Groups["name"].Value)];

    [Fact]
    public async Task Each_metric_and_label_is_in_the_guide_and_the_guide_names_no_other()
    {
        await using var bed = new MeshBed();
        using var pod = new Pod("pod", "127.1.0.11");
        bed.Apply([
            MeshBed.Workload("client", "127.1.0.1"), MeshBed.Workload("pod", pod.Address), .. MeshBed.Host("a.shop.svc.cluster.local", "127.2.0.1", 80, PortProtocol.Http, MeshBed.Endpoint(pod)),
            .. MeshBed.Host("gone.shop.svc.cluster.local", "127.2.0.2", 80, PortProtocol.Http, new EndpointConfig { Address = "127.1.0.99", Port = 1 }),
            UnitCodec.Cluster(new ClusterUnit
            {
                Cluster = new ClusterConfig { Name = "gone.shop.svc.cluster.local:80", Outliers = new Weft.Balancing.Health.OutlierSettings { Consecutive5xx = 1, ConsecutiveLocalErrors = 1, Interval = TimeSpan.FromMilliseconds(100) }, AdaptiveConcurrency = new AdaptiveConcurrency() },
                Host = "gone.shop.svc.cluster.local", Port = 80,
            }),
        ]);
        Assert.Equal(200, bed.Get("127.1.0.1", "127.2.0.1", 80).Status);
        Assert.Equal(200, bed.Get("127.1.0.1", pod.Address, pod.Port).Status);
        await Eventually.TrueAsync(() =>
        {
            Assert.Equal(503, bed.Get("127.1.0.1", "127.2.0.2", 80).Status);
            return Text(bed).Contains("weft_proxy_endpoint_healthy{", StringComparison.Ordinal);
        });

        var text = Text(bed);
        Assert.Equal(Table("| metric |"), [.. Families().Matches(text).Select(family => family.Groups["name"].Value)]);
        SortedSet<string> labels = [.. Labels().Matches(text).Select(label => label.Groups["name"].Value)];
        Assert.Equal(Table("| label |"), labels);
    }

    [Fact]
    public void Each_field_of_the_log_is_in_the_guide_and_the_guide_names_no_other()
    {
        var names = new InternTable<string>("", 10);
        var one = names.Intern("one");
        var record = new AccessRecord { TraceId = 1, SpanId = 1, GrpcStatus = 0, Detail = one, Route = one, Cluster = one, Status = 200 };
        record.AddTry(new Try(one, 1, 200, TryOutcome.Answered));
        var line = new System.Buffers.ArrayBufferWriter<byte>();
        new AccessJson(names).Write(record, new AccessTexts
        {
            Method = "GET"u8, Authority = "a"u8, Path = "/"u8, UserAgent = "a"u8, ForwardedFor = "a"u8, RequestId = "a"u8, ServerName = "a"u8,
        }, line);
        var written = System.Text.Json.Nodes.JsonNode.Parse(line.WrittenSpan)!.AsObject();
        SortedSet<string> fields = [.. written.Select(field => field.Key)];
        Assert.Equal(Table("| field |"), fields);
    }

    private static string Text(MeshBed bed)
    {
        using var text = new StringWriter();
        bed.Proxy.WriteMetrics(text);
        return text.ToString();
    }

    [GeneratedRegex(@"^\| `(?<name>\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Rows();

    [GeneratedRegex(@"^# TYPE (?<name>\w+) ", RegexOptions.Multiline)]
    private static partial Regex Families();

    [GeneratedRegex(@"[{,](?<name>\w+)=""")]
    private static partial Regex Labels();
}
