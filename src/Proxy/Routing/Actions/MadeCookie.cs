using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;

namespace Weft.Proxy.Routing.Actions;

/// <summary>A cookie that a client is given so that its next request is sent to the same place. It says nothing but a number by chance.</summary>
internal readonly record struct MadeCookie(CookieHash Config, ulong Number)
{
    public const int ValueLength = 16;

    public static void Write(ulong number, Span<byte> text) => System.Buffers.Text.Utf8Formatter.TryFormat(number, text, out _, new('x', ValueLength));

    /// <param name="secure">The client came by TLS.</param>
    public void AddTo(HeaderList response, bool secure)
    {
        Span<byte> value = stackalloc byte[ValueLength];
        Write(Number, value);
        var text = new StringBuilder($"{Config.Name}={Encoding.ASCII.GetString(value)}; Path={Config.Path}");
        if (Config.Lifetime is { Ticks: > 0 } lifetime)
            text.Append($"; Max-Age={(long)lifetime.TotalSeconds}");
        text.Append("; HttpOnly; SameSite=Lax").Append(secure ? "; Secure" : "");
        response.Add("set-cookie"u8, Encoding.ASCII.GetBytes(text.ToString()));
    }
}
