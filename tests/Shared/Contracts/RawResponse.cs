using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>One response of an API server, unchanged.</summary>
public sealed record RawResponse(int Code, string? MediaType, string Text)
{
    /// <summary>The body as an object; fails the test if it is not one.</summary>
    public JsonNode Json => JsonNode.Parse(Text) ?? throw new AssertionException($"The body is null: {this}");

    public string? Reason => (string?)Json["reason"];

    public string? Message => (string?)Json["message"];

    /// <summary>The details as text; empty if there are none.</summary>
    public string Details => Json["details"]?.ToJsonString() ?? "";

    public string? Uid => (string?)Json["metadata"]!["uid"];

    public string? ResourceVersion => (string?)Json["metadata"]!["resourceVersion"];

    /// <summary>The causes of a rejection, one per line: reason, field, message.</summary>
    public IReadOnlyList<string> Causes =>
        Json["details"]?["causes"]?.AsArray().Select(c => $"{c!["reason"]} | {c["field"]} | {c["message"]}").ToList() ?? [];

    /// <summary>The keys and base64 values of an object's data, as one text; empty if it has none.</summary>
    public string Data => Json["data"]?.ToJsonString() ?? "";

    /// <summary>Fails the test if the code differs.</summary>
    public RawResponse Gives(int code)
    {
        Assert.That(Code, Is.EqualTo(code), ToString());
        return this;
    }

    /// <summary>Fails the test unless it is a rejection with this code, reason and text.</summary>
    public RawResponse IsRefused(int code, string? reason, string message)
    {
        Gives(code);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)Json["kind"], Is.EqualTo("Status"));
            Assert.That((string?)Json["apiVersion"], Is.EqualTo("v1"));
            Assert.That((string?)Json["status"], Is.EqualTo("Failure"));
            Assert.That((int?)Json["code"], Is.EqualTo(code));
            Assert.That(Reason, Is.EqualTo(reason));
            Assert.That(Message, Is.EqualTo(message));
        }

        return this;
    }

    /// <summary>Fails the test unless the rejection names this object, with its kind in this spelling.</summary>
    public RawResponse About(string kind, string name, string? group = null)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)Json["details"]?["kind"], Is.EqualTo(kind), ToString());
            Assert.That((string?)Json["details"]?["name"] ?? "", Is.EqualTo(name), ToString());
            Assert.That((string?)Json["details"]?["group"], Is.EqualTo(group), ToString());
        }

        return this;
    }

    /// <summary>Fails the test unless the rejection has exactly these causes (see <see cref="Causes"/>), in any order: a real server iterates its managers in the order of a Go map.</summary>
    public RawResponse Because(params string[] causes)
    {
        Assert.That(Causes, Is.EquivalentTo(causes), ToString());
        return this;
    }

    public override string ToString() => $"{Code} {MediaType}\n{(Text.Length > 4000 ? Text[..4000] + "…" : Text)}";
}
