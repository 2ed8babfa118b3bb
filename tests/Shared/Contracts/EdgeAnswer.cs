using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>One answer of an API server, as it came.</summary>
public sealed record EdgeAnswer(int Code, string? MediaType, string Text)
{
    /// <summary>The body as an object; fails the test where it is none.</summary>
    public JsonNode Json => JsonNode.Parse(Text) ?? throw new AssertionException($"The body is null: {this}");

    public string? Reason => (string?)Json["reason"];

    public string? Message => (string?)Json["message"];

    /// <summary>The details as text, or an empty text where there are none.</summary>
    public string Details => Json["details"]?.ToJsonString() ?? "";

    public string? Uid => (string?)Json["metadata"]!["uid"];

    public string? ResourceVersion => (string?)Json["metadata"]!["resourceVersion"];

    /// <summary>Why a refusal was made, one line each: reason, field, message.</summary>
    public IReadOnlyList<string> Causes =>
        Json["details"]?["causes"]?.AsArray().Select(c => $"{c!["reason"]} | {c["field"]} | {c["message"]}").ToList() ?? [];

    /// <summary>The keys and base64 values of an object's data, one text; empty where it has none.</summary>
    public string Data => Json["data"]?.ToJsonString() ?? "";

    /// <summary>Fails the test where the code is another.</summary>
    public EdgeAnswer Gives(int code)
    {
        Assert.That(Code, Is.EqualTo(code), ToString());
        return this;
    }

    /// <summary>Fails the test unless it is a refusal of this kind with this text.</summary>
    public EdgeAnswer IsRefused(int code, string? reason, string message)
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

    /// <summary>Fails the test unless the refusal names this object, in this spelling of its kind.</summary>
    public EdgeAnswer About(string kind, string name, string? group = null)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)Json["details"]?["kind"], Is.EqualTo(kind), ToString());
            Assert.That((string?)Json["details"]?["name"] ?? "", Is.EqualTo(name), ToString());
            Assert.That((string?)Json["details"]?["group"], Is.EqualTo(group), ToString());
        }

        return this;
    }

    /// <summary>Fails the test unless the refusal has exactly these causes (see <see cref="Causes"/>), in any order: a real server walks its managers as a Go map comes.</summary>
    public EdgeAnswer Because(params string[] causes)
    {
        Assert.That(Causes, Is.EquivalentTo(causes), ToString());
        return this;
    }

    public override string ToString() => $"{Code} {MediaType}\n{(Text.Length > 4000 ? Text[..4000] + "…" : Text)}";
}
