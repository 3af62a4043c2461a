// The words that are compared by voice. Their order is part of the protocol: both ends must
// have the same, so none may ever be changed.

const list = `
acorn actor alarm album amber angel ankle apple apron arrow atlas bacon badge bagel baker banjo
barn basil beach beard bell bench berry birch bison blade blanket bolt bone book boot bottle
bowl bread brick bridge broom brush bubble bucket butter button cabin cactus camel camera canal
candle canoe carbon carpet carrot castle cattle cedar cello chalk cheese cherry chess chimney
circus clay cliff cloud clover cobra coffee comet copper coral cotton cousin crane crayon
cricket crown curtain daisy desert diamond dinner doctor dolphin donkey door dragon drum duck
eagle east echo eight elbow elephant engine evening fabric falcon farmer feather fence ferry
fiddle finger flag flame flute fossil fountain fox frog fruit galaxy garden garlic ghost giant
ginger giraffe glass glove gold goose grape gravel guitar hammer harbor harp hawk helmet honey
horse hotel house iceberg igloo index insect iron island ivory jacket jaguar jelly jewel jungle
kettle king kitchen kite kiwi koala ladder lamp lemon leopard letter lily lion lizard lobster
magnet mango maple marble market meadow melon metal mirror monkey moon motor mountain mouse
museum music napkin needle nest night noodle north number oasis ocean olive onion orange orbit
otter oven owl oxygen paddle palace panda paper parrot pebble pencil pepper piano pigeon pillow
pilot planet pocket pony potato puzzle pyramid queen quilt rabbit radio rain raven ribbon river
robot rocket saddle salad salmon scarf school shadow sheep silver spider spoon summer sunset
table tiger tomato trumpet tulip tunnel turtle umbrella valley velvet violin volcano wagon
walnut whale window winter wizard yellow zebra
`;

/** 256 words, by the byte that stands for them. */
export const sasWords: readonly string[] = list.trim().split(/\s+/);
