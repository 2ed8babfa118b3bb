namespace MeshTrust.Pki;

/// <summary>What became of CA material in a run.</summary>
public enum IssueKind
{
    /// <summary>It was there and is as it was, byte for byte.</summary>
    Kept,

    /// <summary>It was not there and was issued.</summary>
    Issued,

    /// <summary>It was there and was replaced: key, certificate and chain. The reason is told.</summary>
    Reissued,

    /// <summary>Key and certificate are as they were; <c>cert-chain.pem</c>, or another file whose form was wrong, was rewritten.</summary>
    Rechained,

    /// <summary>The root that the user brought was copied into the store.</summary>
    Imported,
}
