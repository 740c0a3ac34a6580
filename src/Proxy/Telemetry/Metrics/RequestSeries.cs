namespace Weft.Proxy.Telemetry.Metrics;

/// <summary>The values of one time series on one loop.</summary>
internal sealed class RequestSeries(SeriesKey key)
{
    private Histogram _milliseconds = new();
    private Histogram _requestBytes = new();
    private Histogram _responseBytes = new();
    private long _requests, _requestMessages, _responseMessages;

    public SeriesKey Key => key;

    public long Requests => Volatile.Read(ref _requests);

    public long RequestMessages => Volatile.Read(ref _requestMessages);

    public long ResponseMessages => Volatile.Read(ref _responseMessages);

    public ref readonly Histogram Milliseconds => ref _milliseconds;

    public ref readonly Histogram RequestBytes => ref _requestBytes;

    public ref readonly Histogram ResponseBytes => ref _responseBytes;

    public void Record(in RequestSample sample)
    {
        _milliseconds.Record(sample.Milliseconds);
        _requestBytes.Record(sample.RequestBytes);
        _responseBytes.Record(sample.ResponseBytes);
        _requestMessages += sample.RequestMessages;
        _responseMessages += sample.ResponseMessages;
        Volatile.Write(ref _requests, _requests + 1);
    }

    public void AddTo(RequestSeries total)
    {
        _milliseconds.AddTo(ref total._milliseconds);
        _requestBytes.AddTo(ref total._requestBytes);
        _responseBytes.AddTo(ref total._responseBytes);
        total._requestMessages += RequestMessages;
        total._responseMessages += ResponseMessages;
        total._requests += Requests;
    }
}

/// <summary>One request that has ended.</summary>
/// <param name="RequestMessages">gRPC messages; 0 otherwise.</param>
internal readonly record struct RequestSample(double Milliseconds, long RequestBytes, long ResponseBytes, int RequestMessages = 0, int ResponseMessages = 0);
