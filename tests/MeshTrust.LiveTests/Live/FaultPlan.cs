using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.Tests.Live;

/// <summary>What goes wrong with a request.</summary>
public enum FaultKind
{
    /// <summary>An error status is returned and nothing is done.</summary>
    Status,

    /// <summary>The connection is dropped and nothing is done.</summary>
    DropBefore,

    /// <summary>The request is executed, then the connection is dropped: the client cannot know.</summary>
    DropAfter,

    /// <summary>The request is executed late.</summary>
    Delay,

    /// <summary>The request is executed and half of the response body is sent before the connection drops.</summary>
    TruncatedBody,

    /// <summary>The request is executed and the response body is not valid JSON.</summary>
    GarbageBody,
}

/// <summary>One planned fault: which requests it affects (method and path; null for all), from which one on, how often, and what happens.</summary>
public sealed record Fault(FaultKind Kind)
{
    public string? Method { get; init; }

    public Func<string, bool>? Path { get; init; }

    /// <summary>The first matching request that it affects, counted from 1.</summary>
    public int From { get; init; } = 1;

    /// <summary>The number of requests it affects from there on.</summary>
    public int Times { get; init; } = 1;

    public int Code { get; init; } = 500;

    public int? RetryAfterSeconds { get; init; }

    public TimeSpan Wait { get; init; }

    public static Fault Answer(int code, int? retryAfterSeconds = null) =>
        new(FaultKind.Status) { Code = code, RetryAfterSeconds = retryAfterSeconds };

    public static Fault Drop(bool afterwards) => new(afterwards ? FaultKind.DropAfter : FaultKind.DropBefore);

    public static Fault Slow(TimeSpan wait) => new(FaultKind.Delay) { Wait = wait };

    public static Fault Truncate() => new(FaultKind.TruncatedBody);

    public static Fault Garbage() => new(FaultKind.GarbageBody);
}

/// <summary>Middleware that makes a server fail as planned, counted exactly under concurrent requests.</summary>
internal sealed class FaultPlan
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];

    /// <summary>The number of requests affected so far (since the last <see cref="Clear"/>).</summary>
    public int Happened
    {
        get
        {
            lock (_gate) return _entries.Sum(e => e.Happened);
        }
    }

    /// <summary>Plans one more fault. The first planned fault that matches a request applies.</summary>
    public void Add(Fault fault)
    {
        lock (_gate) _entries.Add(new Entry(fault));
    }

    public void Clear()
    {
        lock (_gate) _entries.Clear();
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var fault = Next(context.Request.Method, context.Request.Path.Value ?? "/");
        if (fault?.Wait > TimeSpan.Zero) await Task.Delay(fault.Wait, context.RequestAborted);
        switch (fault?.Kind)
        {
            case null or FaultKind.Delay:
                await next(context);
                break;
            case FaultKind.Status:
                await AnswerAsync(context, fault);
                break;
            case FaultKind.DropBefore:
                context.Abort();
                break;
            case FaultKind.DropAfter:
                await BodyOfAsync(context, next);
                context.Abort();
                break;
            case FaultKind.TruncatedBody:
                var whole = await BodyOfAsync(context, next);
                await context.Response.Body.WriteAsync(whole.AsMemory(0, whole.Length / 2), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                break;
            case FaultKind.GarbageBody:
                await BodyOfAsync(context, next);
                var garbage = "<html>not an API server\0"u8.ToArray();
                context.Response.ContentLength = garbage.Length;
                await context.Response.Body.WriteAsync(garbage, context.RequestAborted);
                break;
        }
    }

    // The response of the server, before anything is sent.
    private static async Task<byte[]> BodyOfAsync(HttpContext context, RequestDelegate next)
    {
        var body = context.Response.Body;
        using var kept = new MemoryStream();
        context.Response.Body = kept;
        await next(context);
        context.Response.Body = body;
        return kept.ToArray();
    }

    private static async Task AnswerAsync(HttpContext context, Fault fault)
    {
        var (reason, message) = fault.Code switch
        {
            409 => ("Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again"),
            429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
            500 => ("InternalError", "Internal error occurred: planned fault"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            _ => ("Unknown", "planned fault"),
        };
        var status = new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Failure", ["message"] = message, ["reason"] = reason };
        if (fault.RetryAfterSeconds is { } seconds)
        {
            status["details"] = new JsonObject { ["retryAfterSeconds"] = seconds };
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        status["code"] = fault.Code;
        context.Response.StatusCode = fault.Code;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(status.ToJsonString()), context.RequestAborted);
    }

    private Fault? Next(string method, string path)
    {
        lock (_gate)
        {
            Fault? result = null;
            foreach (var entry in _entries)
            {
                if (entry.Fault.Method is { } m && m != method) continue;
                if (entry.Fault.Path is { } matches && !matches(path)) continue;
                entry.Seen++;
                if (result is not null || entry.Seen < entry.Fault.From || entry.Happened >= entry.Fault.Times) continue;
                entry.Happened++;
                result = entry.Fault;
            }

            return result;
        }
    }

    private sealed class Entry(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int Seen { get; set; }

        public int Happened { get; set; }
    }
}
