using CsCheck;
using Meft.Demonstration;
using Shouldly;

namespace Meft.Tests.Demonstration;

public class SyntheticWorldTests
{
    private static readonly Gen<SyntheticWorld> Worlds =
        from seed in Gen.ULong from people in Gen.Int[10, 80] from newcomers in Gen.Int[1, 80] select SyntheticWorld.Create(seed, people, newcomers);

    [Fact]
    public void The_same_seed_tells_the_same_stories_in_any_order() => (from seed in Gen.ULong from index in Gen.Int[0, 1 << 29] select (seed, index)).Sample(pair =>
    {
        SyntheticWorld one = SyntheticWorld.Create(pair.seed, 20, 20), two = SyntheticWorld.Create(pair.seed, 20, 20);
        two.Story(0);
        two.Story(pair.index).ShouldBe(one.Story(pair.index));
        two.FactsOf(two.Newcomers).ShouldBe(one.FactsOf(one.Newcomers));
    }, iter: 50);

    [Fact]
    public void Another_seed_is_another_world()
    {
        SyntheticWorld one = SyntheticWorld.Create(1, 20, 20), two = SyntheticWorld.Create(2, 20, 20);
        two.Story(0).ShouldNotBe(one.Story(0));
        two.FactsOf(two.Newcomers).ShouldNotBe(one.FactsOf(one.Newcomers));
    }

    [Fact]
    public void Stories_differ() => Enumerable.Range(0, 200).Select(SyntheticWorld.Create(0, 20, 0).Story).Distinct().Count().ShouldBe(200);

    [Fact]
    public void No_story_names_a_newcomer() => Worlds.Sample(world =>
    {
        foreach (var story in Enumerable.Range(0, 40).Select(world.Story))
        {
            foreach (var person in world.Newcomers) story.ShouldNotContain(person.Name);
        }
    }, iter: 50);

    [Fact]
    public void Newcomers_bear_names_that_are_known() => Worlds.Sample(world =>
    {
        world.Newcomers.Select(p => p.Given).ShouldBeSubsetOf(world.People.Select(p => p.Given));
        world.Newcomers.Select(p => p.Family).ShouldBeSubsetOf(world.People.Select(p => p.Family));
        world.Newcomers.Select(p => p.Name).ShouldBeUnique();
        world.Newcomers.Select(p => p.Name).Intersect(world.People.Select(p => p.Name)).ShouldBeEmpty();
    }, iter: 50);

    [Fact]
    public void Stories_say_nothing_false_of_their_people() => Worlds.Sample(world =>
    {
        foreach (var story in Enumerable.Range(0, 40).Select(world.Story))
        {
            foreach (var person in world.People)
            {
                for (var kind = 0; kind < Words.FactKinds.Count; kind++)
                {
                    foreach (var form in Words.FactKinds[kind].Forms.Select(f => f.Replace("{name}", person.Name) + " "))
                    {
                        if (story.Contains(form)) story.ShouldContain($"{form}{person.Answers[kind]}.");
                    }
                }
            }
        }
    }, iter: 20);

    [Fact]
    public void Every_fact_has_a_sentence_and_another_one() => Worlds.Sample(world =>
    {
        var facts = world.FactsOf(world.Newcomers);
        facts.Count.ShouldBe(world.Newcomers.Count * Words.FactKinds.Count);
        facts.Select(f => f.Prompt).Distinct().Count().ShouldBe(facts.Count);
        foreach (var fact in facts)
        {
            fact.Paraphrase.ShouldNotBe(fact.Prompt);
            (fact.Answer[0], fact.Answer[^1]).ShouldBe((' ', '.'));
            (fact.Prompt + fact.Paraphrase + fact.Answer).ShouldNotContain("{");
        }
    }, iter: 50);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1600, 1)]
    [InlineData(4, 13)]
    public void A_world_has_as_many_people_as_there_are_names(int people, int newcomers) =>
        Should.Throw<ArgumentOutOfRangeException>(() => SyntheticWorld.Create(0, people, newcomers));
}
