using System.Text;
using Weft.Proxy.Routing;

namespace Weft.Proxy.Tests.Routing;

public sealed class RequestHostTests
{
    [Theory]
    [InlineData("a.example", "a.example", 0)]
    [InlineData("A.Example.", "a.example", 0)]
    [InlineData("a.example:8080", "a.example", 8080)]
    [InlineData("a.example.:8080", "a.example", 8080)]
    [InlineData("a.example:", "a.example", 0)]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example", 0)]
    [InlineData("_sip.example", "_sip.example", 0)]
    [InlineData("192.0.2.1:80", "192.0.2.1", 80)]
    [InlineData("[2001:DB8::1]:443", "[2001:db8::1]", 443)]
    [InlineData("[::1]", "[::1]", 0)]
    public void Hosts_have_one_form(string authority, string name, int port)
    {
        var host = new RequestHost();

        Assert.True(host.TrySet(Encoding.ASCII.GetBytes(authority)));
        Assert.Equal(name, Ask.Text(host.Name));
        Assert.Equal(port, host.Port);
        Assert.Equal(port == 0 ? name : $"{name}:{port}", Ask.Text(host.Authority));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("a.example..")]
    [InlineData("user@a.example")]
    [InlineData("user:pass@a.example")]
    [InlineData("a.example:x")]
    [InlineData("a.example:0")]
    [InlineData("a.example:65536")]
    [InlineData("a.example:80:80")]
    [InlineData("a.example/b")]
    [InlineData("a b")]
    [InlineData("a%2eexample")]
    [InlineData("b\u00fccher.example")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[1.2.3.4]")]
    [InlineData("[fe80::1%25eth0]")]
    [InlineData("::1")]
    public void What_is_no_host_is_refused(string authority)
    {
        var host = new RequestHost();

        Assert.False(host.TrySet(Encoding.Latin1.GetBytes(authority)), authority);
        Assert.True(!host.TrySet(Encoding.ASCII.GetBytes(new string('a', 254))));
    }
}
