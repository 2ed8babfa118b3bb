namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>What a writing request asked for beside its body.</summary>
internal sealed record WriteOptions
{
    /// <summary>The field manager: the query's, or the first word of the User-Agent.</summary>
    public required string Manager { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Take over the fields of other managers (server-side apply only).</summary>
    public bool Force { get; init; }

    /// <summary>Refuse unknown fields (<c>fieldValidation=Strict</c>).</summary>
    public bool Strict { get; init; }

    /// <summary>Whether the user may also create, where the verb is patch.</summary>
    public bool MayCreate { get; init; } = true;
}
