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
    private static readonly Internals? Kestrel = Internals.Find();

    /// <summary>Takes a mark off that an earlier stream has left, before anything of the answer is written.</summary>
    /// <param name="request">What Kestrel gives for a request: of HTTP/2, the stream itself.</param>
    internal static void Clear(IFeatureCollection request)
    {
        if (Kestrel is null || !Kestrel.Stream.IsInstanceOfType(request) || Kestrel.Output.GetValue(request) is not { } output || Kestrel.IsScheduled.GetValue(output) is false)
            return;

        Kestrel.IsScheduled.SetValue(output, NotScheduled);

        // A client that has reset this stream already met the mark, so the end was not scheduled either, and the stream would never be over. Whoever ends it says so first and looks at the
        // mark then; here it is the other way round, so one of both schedules it. A second time does no harm: what is over is passed over.
        Interlocked.MemoryBarrier();
        if (Kestrel.IsEnding.GetValue(output) is true)
            Kestrel.Schedule.Invoke(output, null);
    }

    private sealed record Internals(Type Stream, FieldInfo Output, FieldInfo IsScheduled, FieldInfo IsEnding, MethodInfo Schedule)
    {
        // Another Kestrel may have other names, and the fault or not: then nothing is done here. A test tells when these names are gone.
        internal static Internals? Find() =>
            typeof(KestrelServerOptions).Assembly.GetType("Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http2.Http2Stream") is { } stream
            && stream.GetField("_http2Output", Own) is { } output
            && Flag(output.FieldType, "_isScheduled") is { } isScheduled
            && Flag(output.FieldType, "_completeScheduled") is { } isEnding
            && output.FieldType.GetMethod("Schedule", BindingFlags.Instance | BindingFlags.Public, []) is { } schedule
                ? new(stream, output, isScheduled, isEnding, schedule)
                : null;

        private static FieldInfo? Flag(Type type, string name) => type.GetField(name, Own) is { } field && field.FieldType == typeof(bool) ? field : null;
    }
}
