namespace MeshTrust.Tests.Contracts;

/// <summary>Two managers, one field: who wins and which error the other gets.</summary>
public sealed class ApplyConflictContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task One_field_with_another_value_is_a_conflict_that_names_field_and_owner()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"));
        var refused = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "B")), manager: "b"))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\": .data.ca-cert.pem")
            .Because("FieldManagerConflict | .data.ca-cert.pem | conflict with \"a\"");
        Assert.That(refused.Json["details"]!["name"], Is.Null, "this is how it differs from an optimistic lock");
        Assert.That(refused.Json["details"]!["kind"], Is.Null);
    }

    [Test]
    public async Task Two_fields_are_listed_in_order()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-key.pem", "KB"), ("ca-cert.pem", "B")), manager: "b"))
            .IsRefused(409, "Conflict", "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.ca-cert.pem\n- .data.ca-key.pem")
            .Because("FieldManagerConflict | .data.ca-cert.pem | conflict with \"a\"", "FieldManagerConflict | .data.ca-key.pem | conflict with \"a\"");
    }

    [Test]
    public async Task Two_owners_are_named_each()
    {
        await CreateCacertsAsync(("x", "A"));
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("y", "A")), manager: "b");
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("x", "C"), ("y", "C")), manager: "c"))
            .IsRefused(409, "Conflict", "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\nconflicts with \"b\":\n- .data.y")
            .Because("FieldManagerConflict | .data.x | conflict with \"a\"", "FieldManagerConflict | .data.y | conflict with \"b\"");
    }

    [Test]
    public async Task One_field_with_two_owners_is_a_conflict_with_both()
    {
        await CreateCacertsAsync(("x", "A"));
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("x", "A")), manager: "b");
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("x", "C")), manager: "c"))
            .IsRefused(409, "Conflict", "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\nconflicts with \"b\":\n- .data.x")
            .Because("FieldManagerConflict | .data.x | conflict with \"a\"", "FieldManagerConflict | .data.x | conflict with \"b\"");
    }

    [Test]
    public async Task The_type_of_a_secret_is_owned_too()
    {
        await CreateCacertsAsync(("k", "A"));
        var other = Secret("cacerts", ("k", "A"));
        other["type"] = "other";
        (await Api.ApplyAsync(Cacerts, other, manager: "b"))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\": .type")
            .Because("FieldManagerConflict | .type | conflict with \"a\"");
    }

    [Test]
    public async Task A_conflict_changes_nothing()
    {
        var before = await CreateCacertsAsync(("k", "A"));
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B"), ("new", "B")), manager: "b")).Gives(409);
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task The_loser_of_a_forced_apply_meets_a_conflict_with_the_winner()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")), manager: "b", force: true)).Gives(200);
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A"))))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"b\": .data.k");
    }

    [Test]
    public async Task Apply_and_update_under_one_name_are_two_owners()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.PatchAsync(Cacerts, "merge", """{"data":{"k":"WA=="}}""", manager: "a")).Gives(200);
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A"))))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\" using v1: .data.k")
            .Because("FieldManagerConflict | .data.k | conflict with \"a\" using v1");
    }

    [Test]
    public async Task The_owner_may_stop_owning_without_a_conflict()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.ApplyAsync(Cacerts, Secret("cacerts"))).Gives(200);
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")), manager: "b")).Gives(200).Data, Is.EqualTo("""{"k":"Qg=="}"""));
    }
}
