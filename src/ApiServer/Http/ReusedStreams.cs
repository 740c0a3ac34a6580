using System.Reflection;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Weft.ApiServer.Http;

/// <summary>
/// Mends a fault of Kestrel's (dotnet/aspnetcore issue 53736; measured with 10.0.12) by which a request on HTTP/2 is never answered. The object of a stream serves later streams of its
/// connection, too. Where the answer before was longer than the client's window, a WINDOW_UPDATE that is worked on while that answer ends leaves the object's output marked as scheduled with
/// nothing scheduled, and no answer through it is sent again. Decision 0043 tells the order of events.
/// </summary>
internal static class ReusedStreams
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly object NotScheduled = false;

    // Another Kestrel may have other names, and the fault or not: then nothing is done here. A test tells when these names are gone.
    private static readonly Type? Stream = typeof(KestrelServerOptions).Assembly.GetType("Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http2.Http2Stream");
    private static readonly FieldInfo? Output = Stream?.GetField("_http2Output", Own);
    private static readonly FieldInfo? IsScheduled = Output?.FieldType.GetField("_isScheduled", Own) is { } field && field.FieldType == typeof(bool) ? field : null;

    /// <summary>
    /// Takes the mark off before anything of the answer is written. Where something of this request has been scheduled already (the client reset the stream), it stays in the queue, and
    /// what is scheduled after it is one look more at an answer that has nothing to send.
    /// </summary>
    /// <param name="request">What Kestrel gives for a request: of HTTP/2, the stream itself.</param>
    internal static void Clear(IFeatureCollection request)
    {
        if (IsScheduled is not null && Stream!.IsInstanceOfType(request) && Output!.GetValue(request) is { } output)
            IsScheduled.SetValue(output, NotScheduled);
    }
}
