using System.Net;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Routing;

/// <summary>Requests as the engine hands them to routing.</summary>
internal static class Ask
{
    public static readonly ConnectionFacts Connection = new()
    {
        Source = IPEndPoint.Parse("192.0.2.7:40000"),
        Destination = IPEndPoint.Parse("198.51.100.1:8080"),
    };

    public static RequestFacts For(string method, string authority, string target, params (string Name, string Value)[] headers)
    {
        var facts = new RequestFacts { Connection = Connection, ClientAddress = Connection.Source.Address };
        Fill(facts, method, authority, target, headers);
        return facts;
    }

    public static RequestFacts Get(string authority, string target, params (string Name, string Value)[] headers) => For("GET", authority, target, headers);

    public static void Fill(RequestFacts facts, string method, string authority, string target, params (string Name, string Value)[] headers)
    {
        facts.Head.Clear();
        facts.Head.Method = Encoding.ASCII.GetBytes(method);
        facts.Head.Scheme = "http"u8;
        facts.Head.Authority = Encoding.ASCII.GetBytes(authority);
        facts.Head.Target = Encoding.UTF8.GetBytes(target);
        foreach (var (name, value) in headers)
            facts.Head.Headers.Add(Encoding.ASCII.GetBytes(name), Encoding.Latin1.GetBytes(value));
        Assert.True(facts.Host.TrySet(facts.Head.Authority), authority);
        Assert.Equal(PathError.None, PathNormalizer.Normalize(facts.Head.Target, PathSettings.Default, facts.Path));
    }

    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
