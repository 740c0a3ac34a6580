namespace Weft.Balancing.Health;

/// <summary>
/// Passive health: who is out, since when, why, and until when. Told of every attempt and of the passing of time; called from one place at
/// a time. Times are ticks of the caller's clock (100 ns).
/// </summary>
public sealed class OutlierDetector(OutlierSettings settings, int endpoints)
{
    private Record[] _records = [.. Enumerable.Range(0, endpoints).Select(_ => new Record())];

    public bool IsEjected(int endpoint) => _records[endpoint].Until is not null;

    public EjectionReason Reason(int endpoint) => _records[endpoint].Reason;

    public int Ejected => _records.Count(r => r.Until is not null);

    /// <summary>The endpoints are others from now on, or stand elsewhere; what is known of those that stay, stays.</summary>
    /// <param name="before">For each endpoint its index until now; -1: new.</param>
    public void Rearrange(IReadOnlyList<int> before) => _records = [.. before.Select(index => index < 0 ? new Record() : _records[index])];

    /// <summary>As so many reports of success.</summary>
    public void ReportGood(int endpoint, long count)
    {
        var record = _records[endpoint];
        (record.Fivexx, record.Gateway, record.Local) = (0, 0, 0);
        record.Good += count;
    }

    /// <returns>Whether the endpoint was taken out by this attempt.</returns>
    public bool Report(int endpoint, AttemptOutcome outcome, long now)
    {
        var record = _records[endpoint];
        switch (outcome)
        {
            case AttemptOutcome.Neutral:
                return false;
            case AttemptOutcome.Success:
                ReportGood(endpoint, 1);
                return false;
        }

        record.Bad++;
        // A failure to reach it counts as a 5xx too, as a client behind the proxy would have seen one.
        record.Fivexx++;
        record.Gateway = outcome == AttemptOutcome.GatewayError ? record.Gateway + 1 : 0;
        record.Local = outcome == AttemptOutcome.LocalError ? record.Local + 1 : 0;
        var reason =
            Reached(settings.ConsecutiveLocalErrors, record.Local) ? EjectionReason.ConsecutiveLocalErrors
            : Reached(settings.ConsecutiveGatewayErrors, record.Gateway) ? EjectionReason.ConsecutiveGatewayErrors
            : Reached(settings.Consecutive5xx, record.Fivexx) ? EjectionReason.Consecutive5xx
            : EjectionReason.None;
        return reason != EjectionReason.None && Eject(record, reason, now);
    }

    /// <summary>Once in each interval: brings back whose time is over, then compares the others with each other.</summary>
    /// <param name="responseTimes">Nanoseconds, 0: unknown. Asked only when the latency rule is on.</param>
    /// <returns>Whether anything changed.</returns>
    public bool Sweep(long now, IReadOnlyList<double>? responseTimes = null)
    {
        var changed = false;
        foreach (var record in _records)
        {
            if (record.Until <= now)
            {
                record.Until = null;
                record.Reason = EjectionReason.None;
                changed = true;
            }
            else if (record.Until is null && record.Times > 0 && record.Bad == 0)
            {
                record.Times--; // a good interval forgives one time out
            }
        }

        changed |= CompareSuccess(now);
        if (settings.LatencyFactor > 0 && responseTimes is not null)
            changed |= CompareLatency(now, responseTimes);
        foreach (var record in _records)
            (record.Good, record.Bad) = (0, 0);
        return changed;
    }

    private bool CompareSuccess(long now)
    {
        if (settings.SuccessRateDeviations <= 0)
            return false;
        var judged = _records.Where(r => r.Until is null && r.Good + r.Bad >= settings.SuccessRateRequests).ToList();
        if (judged.Count < Math.Max(settings.SuccessRateHosts, 1))
            return false;
        var mean = judged.Average(r => r.Ratio);
        var deviation = Math.Sqrt(judged.Average(r => (r.Ratio - mean) * (r.Ratio - mean)));
        var least = mean - (settings.SuccessRateDeviations * deviation);
        return judged.Where(r => r.Ratio < least).OrderBy(r => r.Ratio).ToList().Count(r => Eject(r, EjectionReason.SuccessRate, now)) > 0;
    }

    private bool CompareLatency(long now, IReadOnlyList<double> times)
    {
        var judged = Enumerable.Range(0, _records.Length).Where(i => _records[i].Until is null && times[i] > 0 && _records[i].Good + _records[i].Bad >= settings.SuccessRateRequests).ToList();
        if (judged.Count < Math.Max(settings.SuccessRateHosts, 1))
            return false;
        var median = judged.Select(i => times[i]).Order().ElementAt(judged.Count / 2);
        return judged.Where(i => times[i] > median * settings.LatencyFactor).OrderByDescending(i => times[i]).ToList().Count(i => Eject(_records[i], EjectionReason.Latency, now)) > 0;
    }

    private bool Eject(Record record, EjectionReason reason, long now)
    {
        // One may always go; beyond that the limit keeps a bad deployment from emptying the service.
        var most = Math.Max(1, _records.Length * settings.MaxEjectionPercent / 100);
        if (record.Until is not null || settings.MaxEjectionPercent <= 0 || Ejected >= most)
            return false;
        record.Times++;
        record.Until = now + Math.Min(settings.BaseEjection.Ticks * record.Times, Math.Max(settings.LongestEjection.Ticks, settings.BaseEjection.Ticks));
        record.Reason = reason;
        (record.Fivexx, record.Gateway, record.Local) = (0, 0, 0);
        return true;
    }

    private static bool Reached(int limit, int count) => limit > 0 && count >= limit;

    private sealed class Record
    {
        public long Good, Bad;
        public int Fivexx, Gateway, Local, Times;
        public long? Until;
        public EjectionReason Reason;

        public double Ratio => Good / (double)(Good + Bad);
    }
}
